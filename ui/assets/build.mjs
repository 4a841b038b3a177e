// Writes ui/static from what package-lock.json pins: the same bytes on every machine. `make ui-assets` runs it:
//   node build.mjs DIRECTORY
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { gzipSync } from 'fflate';
import * as sass from 'sass';
import { check, properties } from './colours.mjs';
import { fonts } from './fonts.mjs';
import { hero, map, picture } from './map.mjs';

const brotli = createRequire(import.meta.url)('brotli-wasm'); // its other form fetches, which node cannot from a file
const target = path.resolve(process.argv[2]);
const files = [];
const shipped = new Set();
const sha256 = (body) => createHash('sha256').update(body).digest('hex');
const about = async (name) => JSON.parse(await readFile(`node_modules/${name}/package.json`, 'utf8'));

// add keeps a file, and its packed forms where packing helps. It returns the name that Go serves the file under, which is made
// from the content, so that browsers may keep it for ever.
async function add(name, body, ...packages) {
  body = Buffer.from(body);
  const made = { name, bytes: body.length, sha256: sha256(body), packages: [] };
  for (const p of packages) {
    const { version, license } = await about(p);
    made.packages.push({ name: p, version, licence: license });
    shipped.add(p);
  }
  files.push({ made, body });
  if (/\.(css|js|svg|json)$/.test(name)) {
    const gz = Buffer.from(gzipSync(body, { level: 9, mtime: 0 }));
    const br = Buffer.from(brotli.compress(body, { quality: 11 }));
    if (!body.equals(Buffer.from(brotli.decompress(br)))) throw new Error(`${name} is not what its packed form holds`);
    for (const [ext, packed] of [['gz', gz], ['br', br]]) {
      files.push({ made: { name: `${name}.${ext}`, bytes: packed.length, sha256: sha256(packed), of: made.sha256 }, body: packed });
    }
  }
  return name.replace(/(\.[a-z0-9]+)$/, `-${made.sha256.slice(0, 12)}$1`);
}

// Licences of what is sent to browsers. Natural Earth, of which the map is made, is in the public domain.
async function licences() {
  let out = 'Licences of the files in this folder that others wrote. MANIFEST.json says which file is made from which package.\n';
  for (const p of [...shipped].sort()) {
    const { version, license } = await about(p);
    const file = (await readdir(`node_modules/${p}`)).find((f) => /^licen[cs]e(\.(md|txt))?$/i.test(f));
    const text = await readFile(file ? `node_modules/${p}/${file}` : `licences/${p}.txt`, 'utf8'); // one package comes without its own
    out += `\n\n== ${p} ${version} (${license}) ==\n\n${text.replaceAll('\r\n', '\n').replace(/[ \t]+$/gm, '').trim()}\n`;
  }
  return out;
}

check();

const shapes = await map();
const at = {};
for (const name of (await readdir('pictures')).sort()) at[name] = await add(name, (await readFile(`pictures/${name}`, 'utf8')).trim());
at['hero.svg'] = await add('hero.svg', hero(shapes), 'world-atlas');
await add('map.svg', picture(shapes), 'world-atlas');
await add('map.json', JSON.stringify({ viewBox: shapes.viewBox, members: shapes.members, tiles: shapes.tiles }), 'world-atlas');

let style = '';
for (const f of await fonts()) {
  const url = await add(`${f.name}.woff2`, f.body, `@fontsource-variable/${f.from}`);
  const range = f.range.replace(/\b0+(?=[0-9A-F])/g, '').replace(/(^|,)/g, '$1U+');
  style += `@font-face{font-family:"${f.family}";font-weight:${f.weight};font-display:swap;src:url(${url}) format("woff2");unicode-range:${range}}`;
}
style += properties();
const { css } = sass.compile('theme/theme.scss', { style: 'compressed', charset: false, loadPaths: ['node_modules'] });
style += css
  .replace(/:root\{--govuk-brand-colour:[^}]*\}/, '') // ours stand above
  .replace(/var\((--govuk-[a-z-]+),\s*#[0-9a-f]+\)/g, 'var($1)') // the properties are declared always
  .replace(/url\("?\{([a-z.-]+)\}"?\)/g, (_, name) => `url(${at[name] ?? (() => { throw new Error(`no picture ${name}`); })()})`);
await add('theme.css', style, 'govuk-frontend');

const plain = async (file) => (await readFile(`node_modules/htmx.org/dist/${file}`, 'utf8')).replace(/^\/\/# sourceMappingURL=.*$/gm, '').trim();
await add('htmx.js', `${await plain('htmx.min.js')}\n${await plain('ext/hx-csp.min.js')}\n`, 'htmx.org');
await add('htmx-sse.js', `${await plain('ext/hx-sse.min.js')}\n`, 'htmx.org');
const bundle = await esbuild.build({
  entryPoints: ['script/app.js'], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, legalComments: 'none', charset: 'utf8',
});
await add('app.js', bundle.outputFiles[0].contents, 'govuk-frontend');

files.sort((a, b) => (a.made.name < b.made.name ? -1 : 1));
const manifest = `${JSON.stringify({ files: files.map((f) => f.made) }, null, 2)}\n`;
files.push({ made: { name: 'LICENSES.txt' }, body: await licences() }, { made: { name: 'MANIFEST.json' }, body: manifest });
// Never empty meanwhile: go build reads this folder.
await mkdir(target, { recursive: true });
for (const { made, body } of files) await writeFile(path.join(target, made.name), body);
for (const name of await readdir(target)) if (!files.some((f) => f.made.name === name)) await rm(path.join(target, name), { recursive: true });

for (const { made } of files) {
  const packed = files.filter((f) => f.made.of === made.sha256).map((f) => `${path.extname(f.made.name).slice(1)} ${f.made.bytes}`);
  if (made.bytes && !made.of) console.log(`${made.name.padEnd(24)}${String(made.bytes).padStart(8)}  ${packed.join('  ')}`);
}
