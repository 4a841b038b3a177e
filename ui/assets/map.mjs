// The members on a map: an outline of each, with its boundaries simplified until they serve for recognising it and for nothing
// else; dots of land for decoration; and a grid of equal tiles, on which small members are as large as others.
import { readFile } from 'node:fs/promises';
import { feature } from 'topojson-client';
import { presimplify, simplify, quantile } from 'topojson-simplify';

const members = { '096': 'BN', '104': 'MM', '116': 'KH', '360': 'ID', '418': 'LA', '458': 'MY', '608': 'PH', '626': 'TL', '702': 'SG', '704': 'VN', '764': 'TH' };
const small = { BN: [114.7, 4.6], SG: [103.82, 1.35] };

// Labels that would lie on another's land, or on too little of their own, stand beside it.
const label = { BN: [418, 486], ID: [436, 668], MY: [284, 492], PH: [592, 250], SG: [294, 602], TL: [744, 802], VN: [376, 306] };

// A tile's place: column, row.
export const tiles = { MM: [0, 0], LA: [1, 0], VN: [2, 0], TH: [1, 1], KH: [2, 1], PH: [4, 1], MY: [1, 2], BN: [3, 2], SG: [1, 3], ID: [2, 3], TL: [4, 3] };

const width = 1000, west = 91.8, east = 141.4, north = 28.8, south = -11.4;
const scale = width / (east - west);
const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + lat * Math.PI / 360)) * 180 / Math.PI;
const height = Math.round((mercator(north) - mercator(south)) * scale);
const project = ([lon, lat]) => [(lon - west) * scale, (mercator(north) - mercator(lat)) * scale];

const rings = (geometry) => geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat();

const area = (ring) => Math.abs(ring.reduce((sum, [x, y], i) => {
  const [x2, y2] = ring[(i + 1) % ring.length];
  return sum + x * y2 - x2 * y;
}, 0)) / 2;

// Whole numbers, and each point relative to the one before: less than half of the bytes.
function pathOf(ring) {
  const points = ring.map((p) => p.map(Math.round)).filter(([x, y], i, all) => i === 0 || x !== all[i - 1][0] || y !== all[i - 1][1]);
  if (points.length < 4) return '';
  let [x, y] = points[0], d = `M${x},${y}l`;
  for (const [nx, ny] of points.slice(1, -1)) {
    d += `${nx - x},${ny - y} `;
    [x, y] = [nx, ny];
  }
  return `${d.trimEnd()}z`;
}

function middle(ring) {
  let sum = 0, mx = 0, my = 0;
  ring.forEach(([x, y], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length], cross = x * y2 - x2 * y;
    sum += cross; mx += (x + x2) * cross; my += (y + y2) * cross;
  });
  return [Math.round(mx / (3 * sum)), Math.round(my / (3 * sum))];
}

const inside = ([x, y], ring) => ring.reduce((odd, [x1, y1], i) => {
  const [x2, y2] = ring[(i + 1) % ring.length];
  return (y1 > y) !== (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 ? !odd : odd;
}, false);

export async function map() {
  const topology = JSON.parse(await readFile('node_modules/world-atlas/countries-50m.json', 'utf8'));
  const objects = topology.objects.countries.geometries.filter((g) => members[g.id]);
  topology.objects = { members: { type: 'GeometryCollection', geometries: objects } };
  const ready = presimplify(topology);
  const simple = simplify(ready, quantile(ready, 0.55));
  const out = { viewBox: `0 0 ${width} ${height}`, members: {}, tiles };
  const land = [];
  for (const f of feature(simple, simple.objects.members).features) {
    const id = members[f.id];
    const all = rings(f.geometry).map((r) => r.map(project)).sort((a, b) => area(b) - area(a));
    const kept = all.filter((r, i) => i === 0 || area(r) > 6);
    const d = kept.map(pathOf).join('');
    const [x, y] = label[id] ?? middle(kept[0]);
    out.members[id] = { d, x, y, ...(small[id] && { dot: project(small[id]).map(Math.round) }) };
    land.push(...kept);
  }
  out.members = Object.fromEntries(Object.entries(out.members).sort());
  const dots = [];
  const step = 13;
  for (let row = 0, y = step / 2; y < height; row++, y += step * 0.87) {
    for (let x = row % 2 ? step : step / 2; x < width; x += step) {
      if (land.some((ring) => inside([x, y], ring))) dots.push([Math.round(x), Math.round(y)]);
    }
  }
  return { ...out, dots, width, height };
}

// The outline as a picture of its own, for where a page does not draw it.
export function picture({ viewBox, members: all }) {
  const paths = Object.entries(all).map(([id, m]) => `<path id="${id}" d="${m.d}"/>`).join('');
  const spots = Object.values(all).filter((m) => m.dot).map((m) => `<circle cx="${m.dot[0]}" cy="${m.dot[1]}" r="7"/>`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}"><title>Southeast Asia. Boundaries do not imply endorsement.</title><g fill="#1f7a85" stroke="#fffefb" stroke-width="1.5">${paths}${spots}</g></svg>\n`;
}

// Land as dots, and threads from capital to capital, to lie behind a large heading.
export function hero({ dots, width: w, height: h }) {
  const capitals = { BN: [114.9, 4.9], ID: [106.8, -6.2], KH: [104.9, 11.6], LA: [102.6, 18], MM: [96.1, 19.8], MY: [101.7, 3.1], PH: [121, 14.6], SG: [103.8, 1.35], TH: [100.5, 13.8], TL: [125.6, -8.6], VN: [105.8, 21] };
  const at = Object.fromEntries(Object.entries(capitals).map(([id, place]) => [id, project(place).map(Math.round)]));
  const threads = [['TH', 'VN', 70], ['KH', 'PH', 110], ['MM', 'LA', 40], ['SG', 'BN', 60], ['ID', 'PH', 40], ['BN', 'TL', 90], ['MY', 'KH', 30], ['ID', 'TL', 70]].map(([a, b, bend]) => {
    const [[x1, y1], [x2, y2]] = [at[a], at[b]];
    return `M${x1},${y1}Q${Math.round((x1 + x2) / 2)},${Math.round((y1 + y2) / 2) - bend} ${x2},${y2}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" fill="none" stroke-linecap="round">`
    + `<path stroke="#9fd0cf" stroke-opacity=".4" stroke-width="5" d="${dots.map(([x, y]) => `M${x},${y}h0`).join('')}"/>`
    + `<path stroke="#f0b23c" stroke-opacity=".7" stroke-width="1.6" d="${threads.join('')}"/>`
    + `<path stroke="#f0b23c" stroke-width="11" d="${Object.values(at).map((p) => `M${p}h0`).join('')}"/></svg>\n`;
}
