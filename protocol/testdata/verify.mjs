#!/usr/bin/env node
// A second reader of the TMH protocol, written from docs/PROTOCOL.md and protocol/doc.go and from nothing else. It shares no
// code with the node, so what both accept is what the documents say. It needs Node.js 18 or later and no package.
//
//   node verify.mjs                                   checks the conformance corpus in the folder of this file
//   node verify.mjs --corpus DIR                      checks a corpus elsewhere
//   node verify.mjs FEED.jsonl [--federation ID]      checks a feed that tmh export --feed wrote; - is standard input
//
// A feed proves itself against the charter that it brings along. Whether that is the right federation only its id says:
// compare it, or give it with --federation. Exit code 0: everything holds; 1: faults, each with its line; 2: not usable.

import { createHash, createPublicKey, verify as opensslVerify } from 'node:crypto';
import { createReadStream, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

class Fault extends Error {
  constructor(code, field, message) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

const refuse = (code, field, message) => {
  throw new Fault(code, field, message);
};

const MAX_NUMBER = 2 ** 53 - 1;
const MAX_BODY = 16384;
const MAX_TIME = 253402300799;
const MAX_DAY = 2932896;

const sha256 = (...parts) => {
  const h = createHash('sha256');
  for (const p of parts) h.update(p);
  return h.digest('hex');
};

// ---- Wire form: a schema a message, one reader and one writer for all of them.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const text = (bytes, code, field) => {
  try {
    return utf8.decode(bytes);
  } catch {
    return refuse(code, field, 'is not UTF-8');
  }
};

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get done() {
    return this.at === this.bytes.length;
  }

  // varint gives a number, exact up to 2^53 and at least 2^53 above.
  varint() {
    let value = 0;
    for (let n = 0; ; n++) {
      if (n === 10) refuse('varint', '', 'a number is over 64 bits');
      if (this.done) refuse('truncated', '', 'ends within a number');
      const b = this.bytes[this.at++];
      if (n === 9 && b > 1) refuse('varint', '', 'a number is over 64 bits');
      value += (b & 127) * 2 ** (7 * n);
      if (b < 128) {
        if (b === 0 && n > 0) refuse('varint', '', 'a number is not in its shortest form');
        return value;
      }
    }
  }

  take(n) {
    if (n > this.bytes.length - this.at) refuse('truncated', '', 'a length points beyond the end');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }
}

const num = (name) => ({ name, wire: 0, absent: 0 });
const str = (name, max) => ({ name, wire: 2, kind: 'str', max, absent: '' });
const bytes = (name, max) => ({ name, wire: 2, kind: 'bytes', max, absent: null });
const fixed = (name, size) => ({ name, wire: 2, kind: 'fixed', size, absent: '' });
const hash = (name) => ({ name, wire: 2, kind: 'hash', size: 32, absent: '' });
const msg = (name, schema, max) => ({ name, wire: 2, kind: 'msg', schema, max, absent: null });
const rep = (count, field) => ({ ...field, count });
const schema = (name, max, fields, check = () => {}, open = false) => ({
  name, max, fields, check, open, highest: Math.max(...Object.keys(fields).map(Number)),
});

function readValue(field, where, r, wire) {
  if (wire === 0) {
    const v = r.varint();
    if (v === 0) refuse('zero', where, 'is written out though zero');
    if (v > MAX_NUMBER) refuse('too-large', where, 'is over 2^53-1');
    return v;
  }
  const b = r.take(r.varint());
  switch (field.kind) {
    case 'fixed':
    case 'hash':
      if (b.length !== field.size) refuse('length', where, `has ${b.length} bytes, not ${field.size}`);
      if (field.kind === 'hash' && b.every((x) => x === 0)) refuse('zero', where, 'is written out though zero');
      return b.toString('hex');
    default:
  }
  if (b.length === 0 && !field.count) refuse('zero', where, 'is written out though empty');
  if (b.length > field.max) refuse('too-large', where, `has ${b.length} bytes, at most ${field.max}`);
  if (field.kind === 'msg') return decode(field.schema, b);
  return field.kind === 'str' ? text(b, field.notText ?? 'text', where) : b;
}

// decode reads a message by its schema into an object; absent fields have their zero value. Lists are arrays.
function decode(s, b) {
  if (b.length > s.max) refuse('too-large', s.name, `${b.length} bytes, at most ${s.max}`);
  const r = new Reader(b);
  const out = {};
  for (const f of Object.values(s.fields)) out[f.name] = f.count ? [] : f.absent;
  let last = 0;
  while (!r.done) {
    const tag = r.varint();
    const n = Math.floor(tag / 8);
    const wire = tag % 8;
    if (n < 1 || n > 2 ** 29 - 1) refuse('unknown', s.name, 'a field number that is not valid');
    if (n < last) refuse('order', s.name, `field ${n} after field ${last}`);
    if (wire !== 0 && wire !== 2) refuse('wire-type', s.name, `field ${n} has wire type ${wire}`);
    const f = s.fields[n];
    if (!f) {
      if (!s.open || n <= s.highest) refuse('unknown', s.name, `field ${n} is not known`);
      if (wire === 2) r.take(r.varint());
      else if (r.varint() === 0) refuse('zero', s.name, `field ${n} is written out though zero`);
      last = n;
      continue;
    }
    const where = `${s.name}.${f.name}`;
    if (wire !== f.wire) refuse('wire-type', where, `has wire type ${wire}`);
    if (f.count) {
      if (out[f.name].length === f.count) refuse('too-large', where, `stands more than ${f.count} times`);
      out[f.name].push(readValue(f, where, r, wire));
    } else {
      if (n === last) refuse('repeated', where, 'stands twice');
      out[f.name] = readValue(f, where, r, wire);
    }
    last = n;
  }
  s.check(out, (code, field, message) => refuse(code, `${s.name}.${field}`, message));
  return out;
}

function varintBytes(v) {
  const out = [];
  for (; v > 127; v = Math.floor(v / 128)) out.push((v % 128) + 128);
  out.push(v);
  return Buffer.from(out);
}

// encode is the inverse of decode.
function encode(s, value) {
  const parts = [];
  for (const [n, f] of Object.entries(s.fields)) {
    for (const v of f.count ? value[f.name] : [value[f.name]]) {
      if (!f.count && (v === f.absent || v === null)) continue;
      parts.push(varintBytes(Number(n) * 8 + f.wire));
      if (f.wire === 0) {
        parts.push(varintBytes(v));
        continue;
      }
      let b = v;
      if (f.kind === 'msg') b = encode(f.schema, v);
      else if (f.kind === 'str') b = Buffer.from(v, 'utf8');
      else if (f.kind !== 'bytes') b = Buffer.from(v, 'hex');
      parts.push(varintBytes(b.length), b);
    }
  }
  return Buffer.concat(parts);
}

// ---- Names and texts.

const isMember = (s) => /^[A-Z][A-Z0-9]{1,15}$/.test(s);
const isRecordKey = (s) => /^[\x21-\x7e]{1,128}$/.test(s);
const isListingID = (s) => /^[A-Za-z0-9._~-]{1,64}$/.test(s) && s !== '.' && s !== '..';
const isCountry = (s) => /^[A-Z]{2}$/.test(s);
const isWord = (s) => /^[a-z0-9-]{1,40}$/.test(s);
const isLang = (s) => /^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(s) && s.length <= 20;
const isBlank = (s) => /^\p{White_Space}*$/u.test(s);
const isURL = (s) => /^https?:\/\/[^/]/.test(s) && isLine(s) && !/[ "<>\\]/.test(s);
const characters = (s) => [...s].length;

function isPlain(s, many) {
  for (const c of s) {
    const n = c.codePointAt(0);
    if (n === 10 && many) continue;
    if (n < 32 || (n >= 127 && n < 160)) return false; // category Cc
    if ((n >= 0x202a && n <= 0x202e) || (n >= 0x2066 && n <= 0x2069) || n === 0xfeff || (n & 0xfffe) === 0xfffe) return false;
  }
  return true;
}

const isLine = (s) => isPlain(s, false);

const compare = (a, b) => a.epoch - b.epoch || a.seq - b.seq;
const same = (a, b) => compare(a, b) === 0;
const show = (p) => `${p.epoch}.${p.seq}`;
const START = { epoch: 1, seq: 0 };
const isTime = (n) => n <= MAX_TIME;

// required refuses the first of the fields that is absent.
const required = (m, fail, names) => {
  for (const n of names.split(' ')) if (!m[n] || m[n] === '0000000000000000') fail('required', n, 'is absent');
};

// ---- Keys and signatures.

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (x) => ((x % P) + P) % P;

function power(x, e) {
  let y = 1n;
  for (x = mod(x); e > 0n; e >>= 1n, x = (x * x) % P) if (e & 1n) y = (y * x) % P;
  return y;
}

const D = mod(-121665n * power(121666n, P - 2n));
const little = (b) => BigInt(`0x${Buffer.from(b).reverse().toString('hex')}`);

// isKey: the one encoding of a point of the curve, which is not of small order.
function isKey(hex) {
  const bits = little(Buffer.from(hex, 'hex'));
  const sign = bits >> 255n;
  const y = bits & (2n ** 255n - 1n);
  if (y >= P) return false;
  const xx = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(xx, (P + 3n) / 8n);
  if (mod(x * x) !== xx) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(x * x) !== xx || (x === 0n && sign === 1n)) return false;
  if ((x & 1n) !== sign) x = P - x;
  let [px, py] = [x, y];
  for (let i = 0; i < 3; i++) {
    const t = mod(D * px * px * py * py);
    [px, py] = [
      mod(2n * px * py * power(1n + t, P - 2n)),
      mod((py * py + px * px) * power(1n - t, P - 2n)),
    ];
  }
  return !(px === 0n && py === 1n);
}

const checkedKeys = new Map();
function goodKey(hex) {
  if (!checkedKeys.has(hex)) checkedKeys.set(hex, isKey(hex));
  return checkedKeys.get(hex);
}

const opened = new Map();
function verify(key, domain, signed, signature) {
  const sig = Buffer.from(signature, 'hex');
  if (!goodKey(key) || little(sig.subarray(32)) >= L) return false;
  if (!opened.has(key)) {
    const der = Buffer.from(`302a300506032b6570032100${key}`, 'hex'); // SubjectPublicKeyInfo of RFC 8410
    opened.set(key, createPublicKey({ key: der, format: 'der', type: 'spki' }));
  }
  return opensslVerify(null, Buffer.concat([Buffer.from(`${domain}\0`), signed]), opened.get(key), sig);
}

const keyID = (key) => sha256('tmh/key/1\0', Buffer.from(key, 'hex')).slice(0, 16);

// ---- Messages.

const KINDS = { put: 1, withdraw: 2, epoch: 3 };

const HEADER = schema('header', 1024, {
  1: hash('federation'), 2: str('origin', 16), 3: fixed('key', 8), 4: num('charter_version'), 5: num('epoch'), 6: num('seq'),
  7: hash('prev_hash'), 8: str('record_key', 128), 9: num('kind'), 10: num('prev_seq'), 11: num('body_len'), 12: hash('body_hash'),
  13: num('floor'), 14: num('count'), 15: hash('state_digest'),
}, (h, fail) => {
  if (h.kind < 1 || h.kind > 3) fail('value', 'kind', 'is not put, withdraw or epoch');
  if (!isMember(h.origin)) fail('value', 'origin', 'is no member id');
  if (!isRecordKey(h.record_key)) fail('value', 'record_key', 'is no record key');
  required(h, fail, 'federation key charter_version epoch seq body_hash count state_digest');
  const opens = h.kind === KINDS.epoch;
  if (opens !== (h.record_key === `epoch/${h.epoch}`) || (!opens && h.record_key.startsWith('epoch/'))) {
    fail('value', 'record_key', 'is not that of the change that opens the epoch, or of another change');
  }
  if (opens && (h.epoch === 1 || h.prev_seq > 0)) fail('value', 'kind', 'opens epoch 2 or later and replaces nothing');
  const first = h.epoch === 1 && h.seq === 1;
  if (first && h.prev_hash) fail('value', 'prev_hash', 'stands at 1.1');
  if (!first && !h.prev_hash && !opens) fail('required', 'prev_hash', 'is absent');
  if (h.prev_seq >= h.seq) fail('value', 'prev_seq', 'is not below seq');
  if (h.kind === KINDS.withdraw && h.prev_seq === 0) fail('value', 'prev_seq', 'a withdrawal replaces a record');
  if (h.floor > 0 && h.floor >= h.seq) fail('value', 'floor', 'is not below seq');
  if (h.count > h.seq) fail('value', 'count', 'is above seq');
  if (h.body_len > MAX_BODY) fail('too-large', 'body_len', 'is over 16,384');
});

// signed is the schema of a message that consists of signed bytes and a signature.
const signed = (name, max, inner, innerMax, more = {}) => schema(name, max, {
  1: bytes(inner, innerMax), 2: fixed('signature', 64), ...more,
}, (m, fail) => {
  if (m[inner] === null) fail('required', inner, 'is absent');
  if (!m.signature) fail('required', 'signature', 'is absent');
});

const SIGNED_HEADER = signed('header', 1152, 'header', 1024);
const CHANGE = signed('change', 17536, 'header', 1024, { 3: bytes('body', MAX_BODY) });

function decodeSignedHeader(b, s = SIGNED_HEADER) {
  const c = decode(s, b);
  c.raw = c.header;
  c.hash = sha256(c.raw);
  c.h = decode(HEADER, c.raw);
  c.pos = { epoch: c.h.epoch, seq: c.h.seq };
  return c;
}

function decodeChange(b) {
  const c = decodeSignedHeader(b, CHANGE);
  const body = c.body ?? Buffer.alloc(0);
  if (body.length !== c.h.body_len) refuse('body', 'change.body', 'has another length than the header binds');
  if (sha256(body) !== c.h.body_hash) refuse('body', 'change.body', 'has another hash than the header binds');
  return c;
}

const HEAD = schema('head', 1024, {
  1: hash('federation'), 2: str('origin', 16), 3: fixed('key', 8), 4: num('charter_version'), 5: hash('charter_hash'), 6: num('epoch'),
  7: num('seq'), 8: hash('head_hash'), 9: num('counter'), 10: num('issued_at'), 11: num('lease_until'),
}, (h, fail) => {
  if (!isMember(h.origin)) fail('value', 'origin', 'is no member id');
  required(h, fail, 'federation key charter_version charter_hash epoch counter issued_at lease_until');
  if ((h.seq === 0) !== (h.head_hash === '')) fail('value', 'head_hash', 'is absent at seq 0 and only there');
  if (!isTime(h.issued_at) || !isTime(h.lease_until) || h.lease_until < h.issued_at) fail('value', 'lease_until', 'is out of range');
});
const SIGNED_HEAD = signed('head', 1024, 'statement', 1024);

function decodeHead(b) {
  const s = decode(SIGNED_HEAD, b);
  s.h = decode(HEAD, s.statement);
  s.pos = { epoch: s.h.epoch, seq: s.h.seq };
  return s;
}

const ROLE = { member: 1, secretariat: 2 };
const MEMBER = schema('member', 1024, {
  1: str('id', 16), 2: str('name', 200), 3: str('country', 2), 4: num('role'), 5: fixed('governance', 32), 6: num('records'), 7: num('changes_per_day'),
});
const CHARTER = schema('charter', 262144, {
  1: num('version'), 2: hash('federation'), 3: hash('prev_hash'), 4: str('name', 200), 5: rep(256, msg('members', MEMBER, 1024)), 6: num('issued_at'),
}, (c, fail) => {
  if (c.version === 0) fail('required', 'version', 'is absent');
  const first = c.version === 1;
  if (first !== (c.federation === '') || first !== (c.prev_hash === '')) fail('value', 'prev_hash', 'federation and prev_hash stand in all but charter 1');
  const name = (s, at) => (isBlank(s) || !isLine(s)) && fail('text', at, 'is no name on one line');
  name(c.name, 'name');
  if (c.members.length === 0) fail('required', 'members', 'there are none');
  const keys = new Set();
  c.members.forEach((m, i) => {
    if (!isMember(m.id)) fail('value', 'members', `${i + 1} has no member id`);
    if (i > 0 && c.members[i - 1].id >= m.id) fail('order', 'members', 'do not ascend by id');
    name(m.name, `members[${m.id}].name`);
    if (m.role === ROLE.member ? !isCountry(m.country) : m.role !== ROLE.secretariat || m.country !== '') {
      fail('value', `members[${m.id}]`, 'role or country');
    }
    if (!goodKey(m.governance.padEnd(64, '0')) || keys.has(m.governance)) fail('key', `members[${m.id}].governance`, 'is no key, or another member’s');
    keys.add(m.governance);
  });
  if (!isTime(c.issued_at)) fail('value', 'issued_at', 'is out of range');
});
const CHARTER_SIGNATURE = schema('signature', 128, { 1: fixed('key', 32), 2: fixed('signature', 64) }, (s, fail) => required(s, fail, 'key signature'));
const SIGNED_CHARTER = schema('charter', 262144 + 256 * 128, {
  1: bytes('charter', 262144), 2: rep(256, msg('signatures', CHARTER_SIGNATURE, 128)),
}, (c, fail) => {
  c.signatures.forEach((s, i) => i > 0 && c.signatures[i - 1].key >= s.key && fail('order', 'signatures', 'do not ascend by key'));
  if (c.charter === null) fail('required', 'charter', 'is absent');
});

function decodeCharter(b) {
  const s = decode(SIGNED_CHARTER, b);
  s.c = decode(CHARTER, s.charter);
  s.hash = sha256(s.charter);
  s.federation = s.c.version === 1 ? s.hash : s.c.federation;
  return s;
}

const memberOf = (charter, id) => charter.c.members.find((m) => m.id === id);

// follows checks that a charter follows the one before, null for none.
function follows(s, before) {
  const version = before ? before.c.version + 1 : 1;
  if (s.c.version !== version) refuse('version', 'charter.version', `is ${s.c.version}, not ${version}`);
  if (before && s.c.federation !== before.federation) refuse('federation', 'charter.federation', 'is another');
  if (before && s.c.prev_hash !== before.hash) refuse('chain', 'charter.prev_hash', 'is not the hash of the charter before');
  const good = new Set(s.signatures.filter((x) => verify(x.key, 'tmh/charter/1', s.charter, x.signature)).map((x) => x.key));
  for (const c of before ? [before, s] : [s]) {
    const n = c.c.members.filter((m) => good.has(m.governance)).length;
    if (2 * n <= c.c.members.length) refuse('threshold', 'charter.signatures', `${n} of ${c.c.members.length} members of charter ${c.c.version} signed, which is not over half`);
  }
}

const PEER = schema('peer', MAX_BODY, { 1: str('id', 128), 2: rep(16, { ...str('addresses', 256), notText: 'value' }) });
const RANGE = schema('key', 256, { 1: fixed('key', 32), 2: num('from_epoch'), 3: num('from_seq'), 4: num('to_epoch'), 5: num('to_seq'), 6: hash('seal') });
const isOpen = (k) => k.to_epoch === 0 && k.to_seq === 0;
const CARD = schema('card', MAX_BODY, {
  1: hash('federation'), 2: str('member', 16), 3: num('version'), 4: rep(8, msg('peers', PEER, MAX_BODY)), 5: rep(64, msg('keys', RANGE, 256)),
  6: str('url', 512), 7: num('issued_at'),
}, (c, fail) => {
  required(c, fail, 'federation');
  if (!isMember(c.member)) fail('value', 'member', 'is no member id');
  required(c, fail, 'version');
  if (c.peers.length === 0) fail('required', 'peers', 'there are none');
  c.peers.forEach((p, i) => {
    if (p.id === '' || !isLine(p.id)) fail('value', 'peers', `${i + 1} has no id`);
    if (c.peers.findIndex((q) => q.id === p.id) < i) fail('repeated', 'peers', 'one stands twice');
    for (const a of p.addresses) if (!a.startsWith('/') || !isLine(a)) fail('value', 'peers', 'an address is no multiaddr');
  });
  if (c.keys.length === 0) fail('required', 'keys', 'there are none');
  let next = { epoch: 1, seq: 1 };
  c.keys.forEach((k, i) => {
    const last = i === c.keys.length - 1;
    const [from, to] = [{ epoch: k.from_epoch, seq: k.from_seq }, { epoch: k.to_epoch, seq: k.to_seq }];
    if (!goodKey(k.key.padEnd(64, '0'))) fail('key', 'keys', `${i + 1} is no key`);
    if (!same(from, next) || isOpen(k) !== last) fail('order', 'keys', `${i + 1} does not go on where the one before ends, or is open before the last`);
    if (isOpen(k) ? k.seal : !k.seal || to.seq === 0 || compare(to, from) < 0) fail('value', 'keys', `the end of ${i + 1}`);
    next = { epoch: to.epoch, seq: to.seq + 1 };
  });
  if (c.url !== '' && !isURL(c.url)) fail('value', 'url', 'is no http or https address');
  if (!isTime(c.issued_at)) fail('value', 'issued_at', 'is out of range');
});
const SIGNED_CARD = signed('card', MAX_BODY + 128, 'card', MAX_BODY);

function decodeCard(b) {
  const s = decode(SIGNED_CARD, b);
  s.c = decode(CARD, s.card);
  return s;
}

function verifyCard(s, charter) {
  if (s.c.federation !== charter.federation) refuse('federation', 'card.federation', 'is another');
  const m = memberOf(charter, s.c.member);
  if (!m) refuse('origin', 'card.member', `${s.c.member} is no member`);
  if (!verify(m.governance, 'tmh/card/1', s.card, s.signature)) refuse('signature', 'card.signature', `is not that of the governance key of ${s.c.member}`);
}

// ---- Bodies.

const words = (name) => rep(16, { ...str(name, MAX_BODY), notText: 'value' });
const TEXT = schema('text', MAX_BODY, {
  1: str('lang', 20), 2: str('title', MAX_BODY), 3: str('value', MAX_BODY), 4: str('abstract', MAX_BODY), 5: rep(10, str('keywords', MAX_BODY)),
}, (t, fail) => {
  const line = (s, at, max) => {
    if (characters(s) > max) fail('too-large', at, `has over ${max} characters`);
    if (!isLine(s)) fail('text', at, 'is not one line of text');
  };
  required(t, fail, 'lang');
  if (!isLang(t.lang)) fail('value', 'lang', 'is no language tag');
  if (isBlank(t.title)) fail('required', 'title', 'is blank');
  line(t.title, 'title', 255);
  line(t.value, 'value', 200);
  if (characters(t.abstract) > 2000) fail('too-large', 'abstract', 'has over 2,000 characters');
  if (!isPlain(t.abstract, true)) fail('text', 'abstract', 'is not text');
  for (const k of t.keywords) {
    if (isBlank(k)) fail('required', 'keywords', 'one is blank');
    line(k, 'keywords', 80);
  }
}, true);
const ORGANISATION = schema('organisation', 1024, { 1: str('name', 1024), 2: str('type', 40), 3: str('size', 40) }, (o, fail) => {
  if (characters(o.name) > 200) fail('too-large', 'name', 'has over 200 characters');
  if (!isLine(o.name)) fail('text', 'name', 'is not one line of text');
  for (const f of ['type', 'size']) if (o[f] !== '' && !isWord(o[f])) fail('value', f, 'is no word');
}, true);
const LISTING = schema('listing', MAX_BODY, {
  1: str('id', 64), 2: num('kind'), 3: str('country', 2), 4: str('region', 6), 5: rep(13, msg('texts', TEXT, MAX_BODY)),
  6: msg('organisation', ORGANISATION, 1024), 7: num('trl'), 8: words('ipr'), 9: words('cooperation'), 10: words('types'), 11: words('countries'),
  12: words('ford'), 13: words('isic'), 14: words('ipc'), 15: rep(16, num('sdg')), 16: num('published'), 17: num('valid_until'),
  18: str('url', 512), 19: hash('full'), 20: num('demonstration'), 21: num('updated'),
  22: hash('full_registered'), 23: hash('full_restricted'),
}, (l, fail) => {
  if (!isListingID(l.id)) fail('value', 'id', 'is no listing id');
  if (l.kind < 1 || l.kind > 6) fail('value', 'kind', 'is none of six');
  if (!isCountry(l.country)) fail('value', 'country', 'is no country');
  if (l.region !== '' && !(l.region.startsWith(`${l.country}-`) && /^[A-Z0-9]{1,3}$/.test(l.region.slice(3)))) fail('value', 'region', 'is no region of the country');
  if (l.texts.length === 0) fail('required', 'texts', 'there are none');
  l.texts.forEach((t, i) => i > 0 && l.texts[i - 1].lang >= t.lang && fail('order', 'texts', 'do not ascend by language'));
  if (l.trl > 9) fail('value', 'trl', 'is above 9');
  const codes = (name, ok) => l[name].forEach((c, i) => {
    if (!ok(c)) fail('value', name, 'holds what is no code');
    if (l[name].indexOf(c) < i) fail('repeated', name, 'holds a code twice');
  });
  for (const name of ['ipr', 'cooperation', 'types']) codes(name, isWord);
  codes('countries', isCountry);
  codes('ford', (c) => /^[1-6](\.[1-9][0-9]?)?$/.test(c));
  codes('isic', (c) => /^[A-U]([0-9]{2})?$/.test(c));
  codes('ipc', (c) => /^[A-H]([0-9]{2}[A-Z]?)?$/.test(c));
  codes('sdg', (n) => n <= 17);
  if (l.published > MAX_DAY || l.valid_until > MAX_DAY || !isTime(l.updated)) fail('value', 'published', 'is after the year 9999');
  if (l.published > 0 && l.valid_until > 0 && l.valid_until < l.published) fail('value', 'valid_until', 'is before published');
  if (l.url !== '' && !isURL(l.url)) fail('value', 'url', 'is no http or https address');
  if (l.demonstration > 1) fail('value', 'demonstration', 'is neither absent nor 1');
}, true);
const REASONS = ['agreement', 'expired', 'no-longer-available', 'duplicate', 'error', 'other'];
const TOMBSTONE = schema('tombstone', MAX_BODY, {
  1: str('reason', 40), 2: str('replaced_by', 64), 3: num('at'), 4: num('kind'), 5: str('country', 2), 6: num('published'),
}, (t, fail) => {
  if (!REASONS.includes(t.reason)) fail('value', 'reason', 'is none of the list');
  if (t.replaced_by !== '' && !isListingID(t.replaced_by)) fail('value', 'replaced_by', 'is no listing id');
  if (t.kind > 6 || !isTime(t.at) || t.published > MAX_DAY) fail('value', 'tombstone', 'kind, at or published is out of range');
  if (t.country !== '' && !isCountry(t.country)) fail('value', 'country', 'is no country');
}, true);

// ---- Parts of full records.

const MAX_FULL = 262144;
const LEVELS = ['', 'public', 'registered', 'restricted', 'invited'];

// isORCID and isROR compare the check that ends the id: ISO 7064 MOD 11-2 and MOD 97-10.
function isORCID(s) {
  if (!/^([0-9]{4}-){3}[0-9]{3}[0-9X]$/.test(s)) return false;
  const sum = [...s.replaceAll('-', '').slice(0, 15)].reduce((n, c) => (n + Number(c)) * 2, 0);
  return s[18] === '0123456789X'[(12 - (sum % 11)) % 11];
}

function isROR(s) {
  if (!/^0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}$/.test(s)) return false;
  const n = [...s.slice(1, 7)].reduce((sum, c) => sum * 32 + '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(c), 0);
  return Number(s.slice(7)) === 98 - ((n * 100) % 97);
}

const isDOI = (s) => /^10\.[0-9]{4,9}(\.[0-9]+)*\/[\x21-\x7e]+$/.test(s);
const isEmail = (s) => /^(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(s);
const isPhone = (s) => /^[0-9+ ().\/-]*$/.test(s) && s.replace(/[^0-9]/g, '').length >= 3;
const isZone = (s) => /^[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(s);
const isMediaType = (s) => /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/.test(s);

const isText = { line: isLine, name: isLine, lines: (s) => isPlain(s, true) };
function limited(s, how, max, at, fail) {
  if (how === 'name' && isBlank(s)) fail('required', at, 'is blank');
  if (characters(s) > max) fail('too-large', at, `has over ${max} characters`);
  if (!isText[how](s)) fail('text', at, 'is not text');
}
// limits gives the check of a message: by field of text, how it is and the characters it may have; and what else holds.
const limits = (fields, more = () => {}) => (m, fail) => {
  for (const [f, [how, max]] of Object.entries(fields)) for (const s of Array.isArray(m[f]) ? m[f] : [m[f]]) limited(s, how, max, f, fail);
  more(m, fail, (f, ok) => m[f] !== '' && !ok(m[f]) && fail('value', f, 'is not well formed'));
};
const codeList = (m, fail, f, ok) => m[f].forEach((c, i) => {
  if (!ok(c)) fail('value', f, 'holds what is no code');
  if (m[f].indexOf(c) < i) fail('repeated', f, 'holds a code twice');
});
const record = (name, fields, check) => schema(name, MAX_FULL, fields, check, true);
const wide = (name, characters) => str(name, 4 * characters);
const part = (name, s) => msg(name, s, MAX_FULL);
const wordList = (name) => rep(16, { ...str(name, 40), notText: 'value' });
const countryList = (name) => rep(16, { ...str(name, 2), notText: 'value' });
const SHORT = 200;
const NOTE = 1000;

const AUDIENCE = record('audience', { 1: wordList('types'), 2: countryList('countries') }, (a, fail) => {
  codeList(a, fail, 'types', isWord);
  codeList(a, fail, 'countries', isCountry);
});
const RECORD_TEXT = record('texts', {
  1: str('lang', 20), 2: wide('description', 4000), 3: wide('problem', 2000), 4: wide('advantages', 2000), 5: rep(20, wide('applications', SHORT)),
}, limits({ description: ['lines', 4000], problem: ['lines', 2000], advantages: ['lines', 2000], applications: ['name', SHORT] }, (t, fail) => {
  required(t, fail, 'lang');
  if (!isLang(t.lang)) fail('value', 'lang', 'is no language tag');
  if (!t.description && !t.problem && !t.advantages && t.applications.length === 0) fail('required', 'description', 'and all else is absent');
}));
const COMPARISON = record('comparison', {
  1: wide('metric', SHORT), 2: wide('unit', 40), 3: wide('baseline', SHORT), 4: wide('ours', SHORT), 5: wide('evidence', NOTE),
}, limits({ metric: ['name', SHORT], unit: ['line', 40], baseline: ['name', SHORT], ours: ['name', SHORT], evidence: ['lines', NOTE] }));
const RIGHT = record('rights', { 1: str('type', 40), 2: str('office', 2), 3: wide('number', 40), 4: num('date'), 5: str('status', 40) },
  limits({ number: ['line', 40] }, (r, fail, form) => {
    required(r, fail, 'type');
    form('type', isWord);
    form('office', isCountry);
    form('status', isWord);
    if (r.date > MAX_DAY) fail('value', 'date', 'is after the year 9999');
  }));
const TERMS = record('terms', {
  1: wordList('models'), 2: wide('price', NOTE), 3: str('exclusivity', 40), 4: wide('field', SHORT), 5: wide('territory', SHORT),
}, limits({ price: ['lines', NOTE], field: ['line', SHORT], territory: ['line', SHORT] }, (t, fail, form) => {
  codeList(t, fail, 'models', isWord);
  form('exclusivity', isWord);
}));
const PARTNER = record('partner', {
  1: wordList('types'), 2: wide('role', NOTE), 3: wide('task', NOTE), 4: wide('area', SHORT), 5: countryList('countries'),
}, limits({ role: ['lines', NOTE], task: ['lines', NOTE], area: ['line', SHORT] }, (p, fail) => {
  codeList(p, fail, 'types', isWord);
  codeList(p, fail, 'countries', isCountry);
}));
const OWNER = record('organisation', {
  1: wide('name', 200), 2: str('ror', 9), 3: str('type', 40), 4: str('size', 40), 5: num('since'), 6: str('turnover', 40), 7: num('transnational'),
  8: rep(16, wide('certifications', SHORT)), 9: rep(13, { ...str('languages', 20), notText: 'value' }),
}, limits({ name: ['line', 200], certifications: ['name', SHORT] }, (o, fail, form) => {
  form('ror', isROR);
  for (const f of ['type', 'size', 'turnover']) form(f, isWord);
  if (o.since !== 0 && (o.since < 1000 || o.since > 9999)) fail('value', 'since', 'is no year');
  if (o.transnational > 1) fail('value', 'transnational', 'is neither absent nor 1');
  codeList(o, fail, 'languages', isLang);
}));
const PERSON = record('people', { 1: wide('name', SHORT), 2: str('orcid', 19), 3: wide('role', SHORT) },
  limits({ name: ['name', SHORT], role: ['line', SHORT] }, (p, fail, form) => form('orcid', isORCID)));
const CONTACT = record('contact', { 1: wide('name', SHORT), 2: str('email', 254), 3: str('phone', 40), 4: str('url', 512) },
  limits({ name: ['line', SHORT] }, (c, fail, form) => {
    form('email', isEmail);
    form('phone', isPhone);
    form('url', isURL);
  }));
const FUNDED = record('partners', { 1: wide('name', 200), 2: str('country', 2), 3: str('type', 40), 4: num('eligible') },
  limits({ name: ['line', 200] }, (p, fail, form) => {
    if (!isCountry(p.country)) fail('value', 'country', 'is no country');
    form('type', isWord);
    if (p.eligible > 1) fail('value', 'eligible', 'is neither absent nor 1');
  }));
const FUNDING = record('funding', {
  1: wide('call', SHORT), 2: num('deadline'), 3: str('zone', 64), 4: wide('budget', SHORT), 5: wide('eligible', NOTE), 6: str('track', 40),
  7: rep(32, part('partners', FUNDED)),
}, limits({ call: ['line', SHORT], budget: ['line', SHORT], eligible: ['lines', NOTE] }, (f, fail, form) => {
  if (!isTime(f.deadline)) fail('value', 'deadline', 'is out of range');
  form('zone', isZone);
  form('track', isWord);
}));
const DOCUMENT = record('documents', { 1: hash('hash'), 2: wide('name', 120), 3: str('type', 100), 4: num('size'), 5: hash('preview') },
  limits({ name: ['name', 120] }, (d, fail) => {
    required(d, fail, 'hash');
    if (/[/\\]/.test(d.name) || d.name === '.' || d.name === '..') fail('value', 'name', 'is no name of a file alone');
    if (!isMediaType(d.type)) fail('value', 'type', 'is no media type');
    if (d.size < 1 || d.size > 20971520) fail('value', 'size', 'is out of range');
  }));
const PROVENANCE = record('provenance', { 1: wide('system', SHORT), 2: wide('id', SHORT), 3: num('imported'), 4: wide('licence', SHORT) },
  limits({ system: ['line', SHORT], id: ['line', SHORT], licence: ['line', SHORT] }, (p, fail) => {
    if (!isTime(p.imported)) fail('value', 'imported', 'is out of range');
  }));
const CONTROLS = record('controls', { 1: num('export'), 2: num('nagoya') }, (c, fail) => {
  for (const f of ['export', 'nagoya']) if (c[f] > 1) fail('value', f, 'is neither absent nor 1');
});
const PART = record('part', {
  1: str('listing', 64), 2: num('level'), 3: fixed('salt', 32), 4: part('audience', AUDIENCE),
  5: rep(13, part('texts', RECORD_TEXT)), 6: rep(20, part('comparison', COMPARISON)), 7: wide('stage', NOTE), 8: rep(32, part('rights', RIGHT)),
  9: part('terms', TERMS), 10: part('partner', PARTNER), 11: part('organisation', OWNER), 12: rep(32, part('people', PERSON)),
  13: part('contact', CONTACT), 14: part('funding', FUNDING), 15: rep(50, { ...str('publications', 200), notText: 'value' }),
  16: rep(20, part('documents', DOCUMENT)), 17: part('provenance', PROVENANCE), 18: part('controls', CONTROLS),
}, limits({ stage: ['lines', NOTE] }, (p, fail) => {
  if (!isListingID(p.listing)) fail('value', 'listing', 'is no listing id');
  if (p.level < 1 || p.level > 4) fail('value', 'level', 'is none of four');
  if (/^0*$/.test(p.salt)) fail('required', 'salt', 'is absent');
  const somebody = p.audience !== null && p.audience.types.length + p.audience.countries.length > 0;
  if (somebody && LEVELS[p.level] !== 'restricted') fail('value', 'audience', 'is of level restricted only');
  if (!somebody && LEVELS[p.level] === 'restricted') fail('required', 'audience', 'names nobody');
  p.texts.forEach((t, i) => i > 0 && p.texts[i - 1].lang >= t.lang && fail('order', 'texts', 'do not ascend by language'));
  codeList({ dois: p.publications.map((d) => d.toLowerCase()) }, fail, 'dois', isDOI);
  codeList({ documents: p.documents.map((d) => d.hash) }, fail, 'documents', () => true);
  const sections = encode(PART, { ...p, listing: '', level: 0, salt: '', audience: null });
  if (sections.length > MAX_FULL - 4096) fail('too-large', 'sections', 'have over 258,048 bytes');
}));

const VOIDED = schema('voided', 256, { 1: num('epoch'), 2: num('seq'), 3: hash('header'), 4: str('record_key', 128), 5: num('kind') });
const OPENING = schema('opening', MAX_BODY - 128, {
  1: hash('federation'), 2: str('origin', 16), 3: num('epoch'), 4: num('seq'), 5: num('base_epoch'), 6: num('base_seq'), 7: hash('base_header'),
  8: hash('base_digest'), 9: str('reason', 40), 10: num('last_epoch'), 11: num('last_seq'), 12: rep(64, msg('voided', VOIDED, 256)),
  13: str('note', 2000), 14: num('issued_at'),
}, (o, fail) => {
  const [pos, base, last] = [[o.epoch, o.seq], [o.base_epoch, o.base_seq], [o.last_epoch, o.last_seq]].map(([epoch, seq]) => ({ epoch, seq }));
  required(o, fail, 'federation');
  if (!isMember(o.origin)) fail('value', 'origin', 'is no member id');
  required(o, fail, 'base_digest');
  if (base.epoch === 0 || pos.epoch <= base.epoch) fail('value', 'epoch', 'does not come after the base’s');
  if (pos.epoch <= last.epoch || pos.seq <= last.seq) fail('value', 'seq', 'is not above the last position');
  if (compare(last, base) < 0 || last.seq < base.seq) fail('value', 'last', 'is below the base');
  if ((base.seq === 0) !== (o.base_header === '')) fail('value', 'base_header', 'is absent at seq 0 and only there');
  if (!['loss', 'fork', 'key'].includes(o.reason)) fail('value', 'reason', 'is none of the list');
  o.voided.forEach((v, i) => {
    const before = o.voided[i - 1];
    if (v.kind < 1 || v.kind > 3 || !isRecordKey(v.record_key) || !v.header || !v.epoch || !v.seq || compare(v, last) > 0) fail('value', 'voided', `${i + 1} is no change at or below the last position`);
    if (before && (compare(before, v) || (before.header < v.header ? -1 : 1)) > 0) fail('order', 'voided', 'do not ascend');
  });
  if (!isLine(o.note)) fail('text', 'note', 'is not one line of text');
  if (!isTime(o.issued_at)) fail('value', 'issued_at', 'is out of range');
});
const SIGNED_OPENING = signed('opening', MAX_BODY, 'opening', MAX_BODY - 128);

function decodeOpening(b) {
  const s = decode(SIGNED_OPENING, b ?? Buffer.alloc(0));
  s.o = decode(OPENING, s.opening);
  s.base = { epoch: s.o.base_epoch, seq: s.o.base_seq };
  return s;
}

// ---- Messages of streams.

const CLAIM = schema('claim', 256, {
  1: str('origin', 16), 2: num('epoch'), 3: num('seq'), 4: hash('header'), 5: num('counter'), 6: num('forked'),
}, (c, fail) => {
  if (c.forked > 1) fail('value', 'forked', 'is neither absent nor 1');
  if (!isMember(c.origin)) fail('value', 'origin', 'is no member id');
});
const ASK = { vector: 1, changes: 2, heads: 3, own: 4, buckets: 5, forks: 6 };
const REQUEST = schema('request', 65536, {
  1: num('kind'), 2: str('origin', 16), 3: num('epoch'), 4: num('seq'), 5: hash('header'), 6: num('cursor_epoch'), 7: num('cursor_seq'),
  8: rep(256, msg('vector', CLAIM, 256)), 9: fixed('buckets', 32), 10: num('above'),
}, (r, fail) => {
  if (r.kind < 1 || r.kind > 6) fail('value', 'kind', 'is none');
  if (Boolean(r.buckets) !== r.above > 0 || (r.buckets && (r.kind !== ASK.changes || r.seq > 0))) fail('value', 'buckets', 'are of a request for changes from the beginning');
  const whole = r.kind === ASK.vector || r.kind === ASK.heads;
  if (whole ? r.origin !== '' : !isMember(r.origin)) fail('value', 'origin', 'does not belong to the kind');
});
const ANSWER = schema('answer', 65536 + 17536 + 65536, {
  1: str('refused', 40), 2: bytes('head', 1152), 3: rep(1024, bytes('changes', Infinity)), 4: num('last'), 5: rep(256, bytes('heads', Infinity)),
  6: rep(16, bytes('forks', Infinity)), 7: bytes('buckets', 8192), 8: rep(256, msg('vector', CLAIM, 256)),
}, (a, fail) => {
  if (a.buckets !== null && a.buckets.length !== 8192) fail('length', 'buckets', 'are not 256 digests');
  if (a.last > 1) fail('value', 'last', 'is neither absent nor 1');
});
const GOSSIP = schema('gossip', 83072, { 1: rep(1024, bytes('changes', Infinity)) }, (g, fail) => {
  g.changes.forEach(decodeChange);
  if (g.changes.length === 0) fail('required', 'changes', 'there are none');
});
const PAPERS = schema('papers', 8388608, { 1: rep(4096, bytes('charters', Infinity)), 2: rep(256, bytes('cards', Infinity)) }, (p) => {
  p.signedCharters = p.charters.map(decodeCharter);
  p.signedCards = p.cards.map(decodeCard);
});
const EVIDENCE = schema('evidence', 2 * 1152 + 16, { 1: bytes('a', 1152), 2: bytes('b', 1152) }, (e, fail) => {
  if (e.a === null || e.b === null) fail('required', e.a === null ? 'a' : 'b', 'is absent');
  const [a, b] = [decodeSignedHeader(e.a), decodeSignedHeader(e.b)];
  const order = compare(a.pos, b.pos) || (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0);
  const apart = a.h.origin !== b.h.origin || a.h.federation !== b.h.federation || a.h.epoch !== b.h.epoch;
  const contradict = a.h.seq === b.h.seq || (a.h.kind === 3 && b.h.kind === 3) ? a.hash !== b.hash : b.h.seq === a.h.seq + 1 && b.h.prev_hash !== a.hash;
  if (order >= 0 || apart || !contradict) fail('value', 'evidence', 'do not contradict each other, or stand in the wrong order');
  e.headers = [a, b];
});

// ---- Who is in.

class Roster {
  constructor(chain, cards) {
    this.chain = new Map(chain.map((c) => [c.c.version, c]));
    this.charter = chain[chain.length - 1];
    this.cards = new Map(cards.map((c) => [c.c.member, c]));
  }

  take(card) {
    verifyCard(card, this.charter);
    const held = this.cards.get(card.c.member);
    if (held && card.c.version <= held.c.version) refuse('version', 'card.version', 'is not above that of the card held');
    for (const other of this.cards.values()) {
      if (other.c.member !== card.c.member && other.c.peers.some((p) => card.c.peers.some((q) => p.id === q.id))) refuse('conflict', 'card.peers', `one is on the card of ${other.c.member}`);
    }
    this.cards.set(card.c.member, card);
  }

  // range finds the record key that may sign for h at pos.
  range(h, pos) {
    if (h.federation !== this.charter.federation) refuse('federation', 'federation', 'is another');
    if (h.charter_version > this.charter.c.version) refuse('charter', 'charter_version', 'is above the charter in force');
    if (!memberOf(this.charter, h.origin)) refuse('origin', 'origin', `${h.origin} is no member`);
    const card = this.cards.get(h.origin);
    if (!card) refuse('charter', 'key', `no card of ${h.origin} is known`);
    const k = card.c.keys.find((x) => compare({ epoch: x.from_epoch, seq: x.from_seq }, pos) <= 0 && (isOpen(x) || compare(pos, { epoch: x.to_epoch, seq: x.to_seq }) <= 0));
    if (!k || keyID(k.key) !== h.key) refuse('key', 'key', `is not that of ${h.origin} at ${show(pos)}`);
    return k;
  }

  judge(h, pos, domain, raw, signature, hashThere) {
    const k = this.range(h, { epoch: pos.epoch, seq: Math.max(pos.seq, 1) });
    if (!verify(k.key, domain, raw, signature)) refuse('signature', 'signature', `is not that of the record key of ${h.origin}`);
    if (k.to_epoch === pos.epoch && k.to_seq === pos.seq && k.seal !== hashThere) refuse('fork', 'seq', `another header is sealed at ${show(pos)}`);
  }

  header(c) {
    this.judge(c.h, c.pos, 'tmh/change/1', c.raw, c.signature, c.hash);
  }

  head(s) {
    this.judge(s.h, s.pos, 'tmh/head/1', s.statement, s.signature, s.h.head_hash);
  }

  // change is header, and the governance key's leave where it opens an epoch.
  change(c) {
    this.header(c);
    if (c.h.kind !== KINDS.epoch) return;
    const s = decodeOpening(c.body);
    const charter = this.chain.get(c.h.charter_version);
    if (!charter) refuse('charter', 'charter_version', 'is not known');
    const m = memberOf(charter, c.h.origin);
    if (!m) refuse('origin', 'origin', `${c.h.origin} was no member then`);
    if (!verify(m.governance, 'tmh/epoch/1', s.opening, s.signature)) refuse('signature', 'opening.signature', `is not that of the governance key of ${c.h.origin}`);
    if (s.o.federation !== c.h.federation || s.o.origin !== c.h.origin || !same(s.o, c.h) || s.o.base_header !== c.h.prev_hash) refuse('epoch', 'opening', 'is of another change');
  }

  evidence(e) {
    e.headers.forEach((h) => this.header(h));
    const [, b] = e.headers;
    for (const k of this.cards.get(b.h.origin).c.keys) {
      if (!isOpen(k) && compare(b.pos, { epoch: k.to_epoch, seq: k.to_seq }) <= 0) refuse('replayed', 'evidence', 'is settled by a seal');
    }
  }
}

// ---- The set.

class SetHash {
  constructor() {
    this.lanes = new Uint16Array(1024);
    this.count = 0;
  }

  // put adds an element, or removes it with sign -1.
  put(e, sign = 1) {
    const origin = Buffer.from(e.origin);
    const key = Buffer.from(e.record_key);
    const b = Buffer.alloc(10 + 1 + origin.length + 16 + 1 + 1 + key.length + 32);
    let at = b.write('tmh/set/1\0', 'latin1');
    at = b.writeUInt8(origin.length, at);
    at += origin.copy(b, at);
    at = b.writeBigUInt64BE(BigInt(e.epoch), at);
    at = b.writeBigUInt64BE(BigInt(e.seq), at);
    at = b.writeUInt8(e.kind, at);
    at = b.writeUInt8(key.length, at);
    at += key.copy(b, at);
    b.write(e.body_hash, at, 'hex');
    const x = createHash('shake128', { outputLength: 2048 }).update(b).digest();
    for (let i = 0; i < 1024; i++) this.lanes[i] += sign * (x[2 * i] + 256 * x[2 * i + 1]); // a lane wraps at 2^16
    this.count += sign;
  }

  digest() {
    const b = Buffer.alloc(2048);
    this.lanes.forEach((v, i) => b.writeUInt16LE(v, 2 * i));
    return sha256(b);
  }
}

// elementOf a change.
const elementOf = (c) => ({ origin: c.h.origin, epoch: c.h.epoch, seq: c.h.seq, kind: c.h.kind, record_key: c.h.record_key, body_hash: c.h.body_hash });

const MAX_FORGOTTEN = 1024; // withdrawals that one change may forget

// ---- A copy of an origin's catalogue, as the feeds of the corpus want it.

class Copy {
  constructor(origin) {
    this.origin = origin;
    this.proven = START;
    this.header = '';
    this.floor = 0;
    this.records = new Map(); // change by record key
    this.retained = new Map(); // header by position
    this.set = new SetHash();
  }

  clone() {
    const c = Object.assign(new Copy(this.origin), this);
    c.records = new Map(this.records);
    c.retained = new Map(this.retained);
    c.set = new SetHash();
    c.set.lanes = this.set.lanes.slice();
    c.set.count = this.set.count;
    return c;
  }

  // agree refuses a header where another one is retained.
  agree(c) {
    const held = c.h.epoch < this.proven.epoch ? undefined : this.retained.get(show(c.pos));
    if (held && held.hash !== c.hash) refuse('fork', 'header', `another one is held at ${show(c.pos)}`);
  }

  above(c) {
    if (c.h.origin !== this.origin) refuse('origin', 'header.origin', 'is another');
    if (c.h.epoch < this.proven.epoch) refuse('replayed', 'header.epoch', 'is over');
    if (compare(c.pos, this.proven) <= 0) {
      this.agree(c);
      refuse('replayed', 'header.seq', 'is not above what is proven');
    }
  }

  replace(c) {
    const held = this.records.get(c.h.record_key);
    if (held) this.set.put(elementOf(held), -1);
    this.set.put(elementOf(c));
    this.records.set(c.h.record_key, c);
    this.retained.set(show(c.pos), c);
  }

  // forget takes the withdrawals at or below floor out of the set, and says how many there were.
  forget(floor) {
    let n = 0;
    for (const [key, c] of this.records) {
      if (c.h.kind === KINDS.withdraw && c.h.seq <= floor) {
        this.set.put(elementOf(c), -1);
        this.records.delete(key);
        n++;
      }
    }
    return n;
  }

  prove(c) {
    this.proven = c.pos;
    this.header = c.hash;
    this.floor = c.h.floor;
  }

  // next applies a verified change that gossip brought.
  next(c) {
    this.above(c);
    const opens = c.h.epoch > this.proven.epoch;
    if (!opens && c.h.seq !== this.proven.seq + 1) refuse('gap', 'header.seq', 'is not the next');
    if (opens) {
      if (c.h.kind !== KINDS.epoch) refuse('epoch', 'header.epoch', 'was not opened');
      const s = decodeOpening(c.body);
      if (!same(s.base, this.proven) || s.o.base_header !== this.header || s.o.base_digest !== this.set.digest()) refuse('epoch', 'opening.base', 'is not what is held');
    } else if (c.h.prev_hash !== this.header) {
      refuse(this.retained.has(show(this.proven)) ? 'fork' : 'chain', 'header.prev_hash', 'is not that of the header held');
    }
    const held = this.records.get(c.h.record_key);
    if ((held ? held.h.seq : 0) !== c.h.prev_seq) refuse('previous', 'header.prev_seq', 'is not that of the record held');
    if (c.h.floor < this.floor) refuse('floor', 'header.floor', 'goes back');
    this.replace(c);
    if (this.forget(c.h.floor) > MAX_FORGOTTEN) refuse('floor', 'header.floor', 'forgets too much at once');
    if (this.set.count !== c.h.count) refuse('count', 'header.count', `is ${c.h.count}, and the set has ${this.set.count}`);
    if (this.set.digest() !== c.h.state_digest) refuse('digest', 'header.state_digest', 'is not that of the set');
    this.prove(c);
  }

  // draw applies a complete feed under a holder's head.
  draw(head, changes) {
    this.above(head);
    this.agree(head);
    if (head.h.floor < this.floor) refuse('floor', 'header.floor', 'goes back');
    if (head.h.epoch > this.proven.epoch && head.h.seq <= this.proven.seq) refuse('restart', 'header.epoch', 'may have left behind what is held');
    if (head.h.floor > (this.proven.seq || head.h.seq)) refuse('restart', 'header.floor', 'withdrawals may have been missed');
    let cursor = this.proven;
    let chain = this.header;
    for (const c of changes) {
      if (c.h.origin !== this.origin) refuse('holder', 'answer.changes', 'one is of another origin');
      if (compare(c.pos, this.proven) <= 0) {
        this.agree(c);
        continue;
      }
      if (compare(c.pos, cursor) <= 0 || c.h.seq <= cursor.seq || compare(c.pos, head.pos) > 0) refuse('holder', 'answer.changes', `${show(c.pos)} is out of place`);
      this.agree(c);
      if (chain && c.h.epoch === cursor.epoch && c.h.seq === cursor.seq + 1 && c.h.prev_hash !== chain) {
        refuse(this.retained.has(show(cursor)) ? 'fork' : 'chain', 'header.prev_hash', 'is not that of the header before');
      }
      cursor = c.pos;
      chain = c.hash;
      this.previous(c, head);
      this.replace(c);
    }
    if (same(cursor, head.pos) && chain !== head.hash) {
      this.agree(head);
      refuse('holder', 'answer.head', 'is not the last change');
    }
    this.forget(head.h.floor);
    if (this.set.count !== head.h.count || this.set.digest() !== head.h.state_digest) refuse('unproven', 'answer.head', 'the feed does not give its digest');
    if (head.h.epoch > this.proven.epoch && !this.records.has(`epoch/${head.h.epoch}`)) refuse('epoch', 'answer.head', 'is of an epoch that was not opened');
    this.prove(head);
  }

  // previous compares prev_seq as far as a feed of newest changes allows.
  previous(c, head) {
    const held = this.records.get(c.h.record_key);
    const seq = held ? held.h.seq : 0;
    if (c.h.prev_seq > this.proven.seq || seq > this.proven.seq) return;
    if (held && c.h.prev_seq === 0 && held.h.kind === KINDS.withdraw && seq <= head.h.floor) return;
    if (!held && c.h.prev_seq <= head.h.floor) return;
    if (seq !== c.h.prev_seq) refuse('previous', 'header.prev_seq', 'is not that of the record held');
  }

  // answer judges a request for this copy's feed.
  answer(r) {
    if (r.seq === 0) return;
    const asked = { epoch: r.epoch, seq: r.seq };
    if (compare(asked, this.proven) > 0) refuse('unavailable', 'request.seq', 'is above what is held');
    const earlier = asked.epoch < this.proven.epoch;
    if (earlier && !this.kept(asked)) refuse('restart', 'request.epoch', 'an epoch left it behind');
    const held = this.retained.get(show(asked));
    if (held && held.hash !== r.header) refuse(earlier ? 'restart' : 'fork', 'request.header', 'is another');
    if (r.seq < this.floor) refuse('restart', 'request.seq', 'is below the floor');
  }

  // kept reports whether a position of an earlier epoch belongs to the history of this one.
  kept(pos) {
    for (let { epoch } = this.proven; epoch > pos.epoch;) {
      const c = this.records.get(`epoch/${epoch}`);
      if (!c) return false;
      const { base } = decodeOpening(c.body);
      if (base.epoch === pos.epoch) return compare(pos, base) <= 0;
      epoch = base.epoch;
    }
    return false;
  }
}

// ---- The corpus.

const unhex = (s) => Buffer.from(s, 'hex');
const plainly = (s) => ({ read: (b) => decode(s, b), write: (m) => encode(s, m) });
const TYPES = {
  change: {
    read: decodeChange,
    write: (c) => encode(CHANGE, { ...c, header: encode(HEADER, c.h) }),
    judge: (c, roster) => roster.change(c),
  },
  header: {
    read: (b) => decodeSignedHeader(b),
    write: (c) => encode(SIGNED_HEADER, { ...c, header: encode(HEADER, c.h) }),
    judge: (c, roster) => roster.header(c),
  },
  head: {
    read: decodeHead,
    write: (s) => encode(SIGNED_HEAD, { ...s, statement: encode(HEAD, s.h) }),
    judge: (s, roster) => roster.head(s),
  },
  charter: { read: decodeCharter, write: (s) => encode(SIGNED_CHARTER, { ...s, charter: encode(CHARTER, s.c) }) },
  card: {
    read: decodeCard,
    write: (s) => encode(SIGNED_CARD, { ...s, card: encode(CARD, s.c) }),
    judge: (s, roster) => roster.take(s),
  },
  opening: { read: decodeOpening, write: (s) => encode(SIGNED_OPENING, { ...s, opening: encode(OPENING, s.o) }) },
  evidence: { ...plainly(EVIDENCE), judge: (e, roster) => roster.evidence(e) },
  listing: plainly(LISTING),
  tombstone: plainly(TOMBSTONE),
  part: plainly(PART),
  request: plainly(REQUEST),
  answer: plainly(ANSWER),
  gossip: plainly(GOSSIP),
  papers: plainly(PAPERS),
};

const KIND_NAMES = ['', 'TO', 'TR', 'RD', 'EX', 'FC', 'FN'];
const day = (n) => new Date(n * 86400000).toISOString().slice(0, 10);
const time = (n) => `${new Date(n * 1000).toISOString().slice(0, 19)}Z`;

// saidOf lists what is not absent, by path: in JSON members may be left out where they say nothing.
function saidOf(value, path = '', out = new Map()) {
  if (value === null || value === '' || value === false || value === 0) return out;
  if (typeof value !== 'object') return out.set(path, value);
  for (const [k, v] of Object.entries(value)) saidOf(v, `${path}/${k}`, out);
  return out;
}

// meaningOfPart is its JSON form, which has the level's name, and dates and times as people write them.
function meaningOfPart(m) {
  const { organisation: o, funding: f, provenance: p, controls: c } = m;
  return {
    ...m, level: LEVELS[m.level], texts: Object.fromEntries(m.texts.map(({ lang, ...t }) => [lang, t])),
    rights: m.rights.map((r) => ({ ...r, date: r.date && day(r.date) })),
    organisation: o && { ...o, transnational: o.transnational === 1 },
    funding: f && { ...f, deadline: f.deadline && time(f.deadline), partners: f.partners.map((x) => ({ ...x, eligible: x.eligible === 1 })) },
    provenance: p && { ...p, imported: p.imported && time(p.imported) },
    controls: c && { export: c.export === 1, nagoya: c.nagoya === 1 },
  };
}

// meaningOf a listing, tombstone or part, as its JSON has it.
function meaningOf(type, m) {
  if (type === 'part') return meaningOfPart(m);
  const common = { ...m, kind: KIND_NAMES[m.kind], published: m.published && day(m.published) };
  if (type === 'tombstone') return { ...common, at: m.at && time(m.at) };
  const { types, countries, texts, ...rest } = common;
  const byLang = Object.fromEntries(texts.map(({ lang, ...t }) => [lang, t]));
  return {
    ...rest, texts: byLang, seeks: { types, countries }, valid_until: m.valid_until && day(m.valid_until), demonstration: m.demonstration === 1,
    updated: m.updated && time(m.updated),
  };
}

const sorted = (map) => JSON.stringify([...map].sort((a, b) => (a[0] < b[0] ? -1 : 1)));

class Corpus {
  constructor(dir) {
    this.dir = dir;
    this.faults = [];
    this.checked = 0;
    const f = this.read('federation.json');
    this.charters = new Map(Object.entries(f.charters).map(([name, hex]) => [name, decodeCharter(unhex(hex))]));
    this.cards = new Map(Object.entries(f.cards).map(([name, hex]) => [name, decodeCard(unhex(hex))]));
    this.rosters = f.rosters;
    for (const c of this.charters.values()) if (c.federation !== f.federation_id) this.fault('federation.json', 'a charter is of another federation');
  }

  read(path) {
    return JSON.parse(readFileSync(join(this.dir, path), 'utf8'));
  }

  fault(path, message) {
    this.faults.push(`${path}: ${message}`);
  }

  // outcome of f: the code of its refusal, or ''. Any other failure is a fault of this program.
  outcome(f) {
    try {
      f();
      return { code: '', say: 'accepted' };
    } catch (e) {
      if (!(e instanceof Fault)) throw e;
      return { code: e.code, say: `refused as ${e.code}: ${e.field} ${e.message}` };
    }
  }

  // expect takes any refusal where the code wanted is any: which of several faults is reported is not specified.
  expect(path, want, f) {
    this.checked++;
    const got = this.outcome(f);
    if (want === 'any' ? got.code === '' : got.code !== (want ?? '')) this.fault(path, `${got.say}; wanted ${want ? `refusal as ${want}` : 'acceptance'}`);
  }

  roster(name) {
    const r = this.rosters[name];
    const chain = [...(r.past ?? []), r.charter].map((c) => this.charters.get(c));
    return new Roster(chain, r.cards.map((c) => this.cards.get(c)));
  }

  run() {
    for (const folder of ['valid', 'invalid']) {
      for (const name of readdirSync(join(this.dir, folder)).filter((n) => n.endsWith('.json')).sort()) {
        const path = `${folder}/${name}`;
        const f = this.read(path);
        if (f.steps) this.steps(path, f);
        else this.expect(path, f.refused, () => this.message(f, !name.includes('later-fields') && folder === 'valid'));
      }
    }
    for (const name of readdirSync(this.dir).filter((n) => /^feed.*\.json$/.test(n)).sort()) this.feed(name, this.read(name));
  }

  message(f, again) {
    const type = TYPES[f.type];
    if (!type) throw new Error(`unknown type ${f.type}: is this program older than the corpus?`);
    const context = f.context ?? {};
    const bytesHex = f.bytes ?? ''; // an empty message has no bytes
    const value = type.read(unhex(bytesHex));
    if (context.roster) type.judge(value, this.roster(context.roster));
    if (context.charter) verifyCard(value, this.charters.get(context.charter));
    if (context.follows !== undefined) follows(value, context.follows === '' ? null : this.charters.get(context.follows));
    if (f.means && sorted(saidOf(meaningOf(f.type, value))) !== sorted(saidOf(f.means))) refuse('means', f.type, 'says something else');
    if (again && type.write(value).toString('hex') !== bytesHex) refuse('bytes', f.type, 'is other bytes when written again');
  }

  steps(path, f) {
    const set = new SetHash();
    const buckets = new Map();
    const put = (s, e, sign) => {
      s.put(e, sign);
      return s.digest();
    };
    f.steps.forEach((s, i) => {
      this.checked++;
      const e = { ...s, kind: KINDS[s.kind] };
      const sign = s.do === 'add' ? 1 : -1;
      const whole = put(set, e, sign);
      const at = parseInt(sha256(s.record_key).slice(0, 2), 16);
      if (!buckets.has(at)) buckets.set(at, new SetHash());
      const part = put(buckets.get(at), e, sign);
      const got = f.type === 'buckets' ? part : whole;
      if (got !== s.digest || (s.bucket !== undefined && s.bucket !== at)) this.fault(path, `step ${i + 1}: digest ${got} in bucket ${at}, wanted ${s.digest}`);
    });
  }

  feed(path, f) {
    const roster = f.roster ? this.roster(f.roster) : null;
    const change = (hex) => {
      const c = decodeChange(unhex(hex));
      if (roster) roster.change(c);
      return c;
    };
    const header = (hex) => {
      const c = decodeSignedHeader(unhex(hex));
      if (roster) roster.header(c);
      return c;
    };
    // states[n] is the copy after n changes.
    const states = [new Copy(f.origin)];
    for (const [i, step] of f.changes.entries()) {
      const c = states[i].clone();
      this.expect(`${path} change ${i + 1} (${step.about})`, '', () => c.next(change(step.bytes)));
      if (!same(c.proven, step.position) || c.set.count !== step.count || c.set.digest() !== step.state_digest) this.fault(path, `after change ${i + 1}: other position, count or digest`);
      states.push(c);
    }
    const after = (x) => {
      const c = states[x.after ?? f.changes.length].clone();
      for (const hex of (f.void ?? []).slice(0, x.void ?? 0)) c.next(change(hex));
      if (x.headers_erased) c.retained.clear();
      return c;
    };
    (f.refused ?? []).forEach((x) => this.expect(`${path} refused (${x.about})`, x.refused, () => after(x).next(change(x.bytes))));
    (f.pulls ?? []).forEach((x) => this.expect(`${path} pull (${x.about})`, x.refused, () => after(x).draw(header(x.head), x.changes.map(change))));
    (f.asked ?? []).forEach((x) => this.expect(`${path} asked (${x.about})`, x.refused, () => after(x).answer(decode(REQUEST, unhex(x.request)))));
  }
}

function checkCorpus(dir) {
  const corpus = new Corpus(dir);
  corpus.run();
  corpus.faults.forEach((f) => console.log(f));
  console.log(`corpus: ${corpus.checked} cases, ${corpus.faults.length} faults`);
  return corpus.faults.length === 0;
}

// ---- An exported feed.

const MAX_LINE = 2 * 8388608 + 1024;

class Feed {
  constructor(federation) {
    this.wanted = federation;
    this.faults = [];
    this.line = 0;
    this.set = new SetHash();
    this.keys = new Map(); // line by record key
    this.seqs = new Map(); // line by seq
    this.replaced = []; // [prev_seq, line]
    this.openings = new Map(); // by epoch
    this.ranges = []; // runs of positions [first, last, line]
    this.changes = 0;
    this.unusable = 0;
    this.last = null;
    this.head = null;
    this.statement = null;
    this.roster = null;
  }

  fault(message, line = this.line) {
    this.faults.push([line, message]);
  }

  attempt(f) {
    try {
      f();
      return true;
    } catch (e) {
      if (!(e instanceof Fault)) throw e;
      this.fault(`${e.code}: ${e.field} ${e.message}`.replace(/: +/, ': '));
      return false;
    }
  }

  take(line) {
    this.line++;
    if (line.length > MAX_LINE) return this.fault('the line is too long');
    let l;
    try {
      l = JSON.parse(line);
    } catch {
      return this.fault('is not JSON');
    }
    if (l === null || typeof l !== 'object' || Object.keys(l).sort().join() !== 'bytes,type' || typeof l.bytes !== 'string' || !/^([0-9a-f]{2})+$/.test(l.bytes)) {
      return this.fault('is not an object with the members type and bytes, the latter in hexadecimal');
    }
    const b = unhex(l.bytes);
    switch (l.type) {
      case 'papers':
        return this.line === 1 ? this.attempt(() => this.papers(b)) : this.fault('papers stand on line 1 and nowhere else');
      case 'head':
        return this.line === 2 ? this.attempt(() => this.takeHead(b)) : this.fault('the head stands on line 2 and nowhere else');
      case 'statement':
        return this.line === 3 ? this.attempt(() => this.takeStatement(b)) : this.fault('the statement stands on line 3 and nowhere else');
      case 'change':
        return this.attempt(() => this.change(b));
      default:
        return this.fault('is of no type that a feed has');
    }
  }

  papers(b) {
    const p = decode(PAPERS, b);
    let before = null;
    for (const c of p.signedCharters) {
      follows(c, before);
      before = c;
    }
    if (!before) refuse('required', 'papers.charters', 'there is no charter');
    if (this.wanted && before.federation !== this.wanted) refuse('federation', 'papers.charters', `are of federation ${before.federation}, not of ${this.wanted}`);
    const roster = new Roster(p.signedCharters, []);
    this.roster = roster;
    for (const c of p.signedCards) this.attempt(() => roster.take(c));
  }

  trusted() {
    if (!this.roster) refuse('charter', 'papers', 'are missing or were refused, so that nothing can be verified');
    return this.roster;
  }

  takeHead(b) {
    const c = decodeSignedHeader(b);
    this.head = c;
    this.trusted().header(c);
  }

  takeStatement(b) {
    const s = decodeHead(b);
    this.trusted().head(s);
    this.statement = s;
  }

  change(b) {
    this.changes++;
    const c = decodeChange(b);
    this.set.put(elementOf(c)); // also what is faulty, so that one fault does not show as two
    const { last } = this;
    this.last = c;
    this.seqs.set(c.h.seq, this.line);
    if (c.h.prev_seq) this.replaced.push([c.h.prev_seq, this.line]);
    const twin = this.keys.get(c.h.record_key);
    this.keys.set(c.h.record_key, this.line);
    this.trusted().change(c);
    if (c.h.kind === KINDS.epoch) this.openings.set(c.h.epoch, decodeOpening(c.body));
    if (this.statement && same(this.statement.pos, c.pos) && this.statement.h.head_hash !== c.hash) this.fault(`fork: header: the statement of line 3 names another one at ${show(c.pos)}`);
    if (!this.head) refuse('holder', 'head', 'is missing or could not be read');
    if (c.h.origin !== this.head.h.origin) refuse('origin', 'header.origin', `is ${c.h.origin} in the feed of ${this.head.h.origin}`);
    if (twin) refuse('previous', 'header.record_key', `is also that of line ${twin}: a feed has the newest change of a record only`);
    if (last && (compare(c.pos, last.pos) <= 0 || c.h.seq <= last.h.seq)) refuse('holder', 'header.seq', `${show(c.pos)} stands after ${show(last.pos)}`);
    if (compare(c.pos, this.head.pos) > 0) refuse('holder', 'header.seq', `${show(c.pos)} is above the head ${show(this.head.pos)}`);
    if (last && c.h.epoch === last.h.epoch && c.h.seq === last.h.seq + 1 && c.h.prev_hash !== last.hash) refuse('chain', 'header.prev_hash', 'is not the hash of the header before');
    if (last && c.h.floor < last.h.floor) refuse('floor', 'header.floor', 'goes back');
    if (c.h.kind === KINDS.withdraw && c.h.seq <= this.head.h.floor) refuse('floor', 'header.seq', `a withdrawal at or below the head's floor ${this.head.h.floor}, which has left the set`);
    const run = this.ranges[this.ranges.length - 1];
    if (run && run.epoch === c.h.epoch) [run.last, run.end] = [c.h.seq, this.line];
    else this.ranges.push({ epoch: c.h.epoch, first: c.h.seq, last: c.h.seq, line: this.line, end: this.line });
    this.usable(c);
  }

  // usable counts bodies that are not what they should be: that makes a record unusable, not its change invalid.
  usable(c) {
    const type = c.h.kind === KINDS.withdraw ? TOMBSTONE : c.h.kind === KINDS.put && c.h.record_key.startsWith('listing/') ? LISTING : null;
    if (!type) return;
    try {
      decode(type, c.body ?? Buffer.alloc(0));
    } catch (e) {
      if (!(e instanceof Fault)) throw e;
      this.unusable++;
    }
  }

  // end compares the whole with the head.
  end() {
    const { head } = this;
    if (!this.line) return this.fault('the file is empty', 1);
    if (!head) return this.fault('head: there is none that can be read', 2);
    this.line = 2;
    const last = this.last && this.last.hash === head.hash;
    if (!last) this.fault(`holder: the last change is not the head ${show(head.pos)}`);
    if (this.set.count !== head.h.count) this.fault(`count: the head says ${head.h.count} records, and the feed has ${this.set.count}`);
    if (this.set.digest() !== head.h.state_digest) this.fault('digest: the set of the changes has another digest than the head says: something was left out, added or altered');
    for (const [seq, line] of this.replaced) {
      if (this.seqs.has(seq)) this.fault(`previous: header.prev_seq replaces the change of line ${this.seqs.get(seq)}, which is in the feed all the same`, line);
    }
    this.epochs(head);
    this.judgeStatement(head);
  }

  // epochs walks back from the head's epoch: each was opened by a change in the feed, and what lies above its base is void.
  epochs(head) {
    const path = new Set([1]);
    let { epoch } = head.h;
    for (let s; epoch > 1; epoch = s.base.epoch) {
      s = this.openings.get(epoch);
      if (!s) return this.fault(`epoch: the feed does not hold the change that opened epoch ${epoch}`);
      path.add(epoch).add(s.base.epoch);
      for (const r of this.ranges) {
        if (r.epoch === s.base.epoch && r.last > s.base.seq) this.fault(`epoch: ${r.epoch}.${r.last} is void, because epoch ${epoch} goes on from ${show(s.base)}`, r.end);
        if (r.epoch === epoch && r.first < s.o.seq) this.fault(`epoch: ${r.epoch}.${r.first} is below the change that opens its epoch`, r.line);
      }
    }
    for (const r of this.ranges) if (!path.has(r.epoch)) this.fault(`epoch: epoch ${r.epoch} does not belong to the history of epoch ${head.h.epoch}`, r.line);
    return undefined;
  }

  judgeStatement(head) {
    const s = this.statement;
    if (!s) return;
    this.line = 3;
    if (s.h.origin !== head.h.origin) this.fault(`origin: the statement is of ${s.h.origin}`);
    else if (same(s.pos, head.pos) && s.h.head_hash !== head.hash) this.fault(`fork: the statement names another header at ${show(s.pos)}`);
  }

  summary() {
    const { head } = this;
    const h = head.h;
    const lag = this.statement && compare(this.statement.pos, head.pos) > 0 ? `, behind the statement at ${show(this.statement.pos)}` : '';
    const unusable = this.unusable ? `, ${this.unusable} with a body that is no listing or tombstone` : '';
    return `${h.origin} ${show(head.pos)}: ${this.changes} records${unusable}, digest ${h.state_digest}${lag}; federation ${h.federation}, charter ${this.roster.charter.c.version}`;
  }
}

const SHOWN = 100; // faults in full

async function checkFeed(path, federation) {
  const input = path === '-' ? process.stdin : createReadStream(path);
  const feed = new Feed(federation);
  const lines = createInterface({ input, crlfDelay: Infinity });
  await new Promise((resolve, reject) => {
    input.on('error', reject);
    lines.on('line', (l) => {
      try {
        feed.take(l);
      } catch (e) {
        reject(e);
      }
    });
    lines.on('close', resolve);
  });
  feed.end();
  feed.faults.sort((a, b) => a[0] - b[0]);
  for (const [line, message] of feed.faults.slice(0, SHOWN)) console.log(`line ${line}: ${message}`);
  if (feed.faults.length > SHOWN) console.log(`and ${feed.faults.length - SHOWN} more`);
  if (feed.faults.length > 0) {
    console.log(`${feed.faults.length} faults: the feed is not what its origin signed`);
    return false;
  }
  console.log(feed.summary());
  return true;
}

async function main(args) {
  const usage = 'usage: node verify.mjs [--corpus DIR] | FEED.jsonl [--federation ID]';
  const here = dirname(fileURLToPath(import.meta.url));
  if (args.length === 0) return checkCorpus(here);
  if (args[0] === '--corpus' && args.length === 2) return checkCorpus(args[1]);
  if (!args[0].startsWith('--') && args.length === 1) return checkFeed(args[0], '');
  if (!args[0].startsWith('--') && args.length === 3 && args[1] === '--federation' && /^[0-9a-f]{64}$/.test(args[2])) return checkFeed(args[0], args[2]);
  throw new Error(usage);
}

main(process.argv.slice(2)).then((good) => {
  process.exitCode = good ? 0 : 1;
}, (e) => {
  console.error(`verify.mjs: ${e.message}`);
  process.exitCode = 2;
});
