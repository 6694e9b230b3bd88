// Makes src/api/schema.ts of docs/schema/*.json, so that a field that the daemon does not send is an error of the compiler.
// Run by `npm run schema`; a test fails when the file is not what the schemas give.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const schemas = [
  'status',
  'trend',
  'alerts',
  'leases',
  'history',
  'reclaim',
  'why',
  'processes',
  'devices',
  'faults',
  'throttle',
  'services',
  'api',
];
const folder = new URL('../../docs/schema/', import.meta.url);

const pascal = (name) =>
  name
    .split(/[_\W]+/)
    .filter(Boolean)
    .map((part) => part[0].toUpperCase() + part.slice(1))
    .join('');

const primitives = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };

/** The name of what `$ref` points at: "#/$defs/x" in the same file, "status.json#/$defs/x" in another. */
function refName(ref, file) {
  const [other, path] = ref.split('#');
  const of = other ? other.replace('.json', '') : file;
  return pascal(of) + pascal(path.replace('/$defs/', ''));
}

function objectType(schema, file, depth) {
  const required = new Set(schema.required ?? []);
  const pad = '  '.repeat(depth + 1);
  const lines = Object.entries(schema.properties ?? {}).map(
    ([name, value]) =>
      `${pad}${/^\w+$/.test(name) ? name : JSON.stringify(name)}${required.has(name) ? '' : '?'}: ${typeOf(value, file, depth + 1)};`,
  );
  if (lines.length > 0) return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
  const rest = schema.additionalProperties;
  return `Record<string, ${typeof rest === 'object' ? typeOf(rest, file, depth) : 'unknown'}>`;
}

function arrayOf(item) {
  return /[|&]/.test(item.replace(/\{[^]*\}|<[^]*>/g, '')) ? `(${item})[]` : `${item}[]`;
}

function typeOf(schema, file, depth) {
  if (schema === true || schema === undefined) return 'unknown';
  if (schema.$ref) return refName(schema.$ref, file);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return [...new Set(choices.map((choice) => typeOf(choice, file, depth)))].join(' | ');
  if (schema.allOf) return schema.allOf.map((part) => typeOf(part, file, depth)).join(' & ');
  const types = [schema.type ?? (schema.properties || schema.required ? 'object' : 'unknown')].flat();
  return types
    .map((type) => {
      if (type === 'object') return objectType(schema, file, depth);
      if (type === 'array') return arrayOf(typeOf(schema.items, file, depth));
      return primitives[type] ?? 'unknown';
    })
    .join(' | ');
}

export function schemaTypes() {
  const out = ['// Made by `npm run schema` of docs/schema/*.json. Do not edit.', ''];
  for (const file of schemas) {
    const schema = JSON.parse(readFileSync(new URL(`${file}.json`, folder), 'utf8'));
    for (const [name, definition] of Object.entries(schema.$defs ?? {})) {
      out.push(`export type ${pascal(file)}${pascal(name)} = ${typeOf(definition, file, 0)};`, '');
    }
    if (schema.type || schema.properties) out.push(`export type ${pascal(file)} = ${typeOf(schema, file, 0)};`, '');
  }
  return out.join('\n');
}

const target = new URL('../src/api/schema.ts', import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, schemaTypes());
