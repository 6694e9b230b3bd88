import { defineConfig } from 'vitest/config';

// Where `npm run dev` finds the daemon whose answers it shows.
const daemon = process.env['GPUKEEPER_URL'] ?? 'http://127.0.0.1:8737';

export default defineConfig({
  base: '/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    assetsInlineLimit: 0, // the content security policy takes nothing inline
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/api', '/health', '/sign-in'].map((path) => [path, { target: daemon, changeOrigin: false }]),
    ),
  },
  test: { include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'] },
});
