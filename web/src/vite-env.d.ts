// What Vite makes of an import that is no script.
declare module '*.css';
declare module '*?raw' {
  const text: string;
  export default text;
}
