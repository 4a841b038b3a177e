// What a person does with passkeys on a node's pages, with Chromium's virtual authenticator as the phone. Pages are found by
// `paths`, their parts by role and name, as people and screen readers find them; whoever serves other words passes `words`.
import assert from 'node:assert/strict';

export const paths = { add: '/account/passkeys', signIn: '/sign-in' };

export const words = {
  name: 'Name',
  add: 'Add a passkey',
  added: /Added/,
  signIn: 'Sign in with a passkey',
  signedIn: /Signed in/,
  copied: /a copy of this passkey seems to be in use/,
  failed: /was not used/,
};

// phone gives a page a virtual authenticator: it keeps keys, checks the person, and agrees to everything by itself.
export async function phone(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal',
      hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return {
    keys: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    // put replaces the key that the phone holds under the same id
    put: async (credential) => {
      await session.send('WebAuthn.removeCredential', { authenticatorId, credentialId: credential.credentialId });
      await session.send('WebAuthn.addCredential', { authenticatorId, credential });
    },
  };
}

// says waits until the page's status says something that fits.
export async function says(page, pattern) {
  await page.getByRole('status').filter({ hasText: pattern }).waitFor();
  return page.getByRole('status').innerText();
}

export async function add(page, base, name, options = {}) {
  const w = { ...words, ...options.words };
  await page.goto(new URL(options.path ?? paths.add, base).href);
  await page.getByLabel(w.name).fill(name);
  await page.getByRole('button', { name: w.add }).click();
  return says(page, options.expect ?? w.added);
}

export async function signIn(page, base, options = {}) {
  const w = { ...words, ...options.words };
  await page.goto(new URL(options.path ?? paths.signIn, base).href);
  await page.getByRole('button', { name: w.signIn }).click();
  return says(page, options.expect ?? w.signedIn);
}

// journey: a passkey is added, then opens the account without a name or a password being typed; each use is counted.
export async function journey(page, base, options = {}) {
  const device = await phone(page);
  await (options.enter ?? (() => {}))(page); // to be signed in some other way first, where adding wants that
  await add(page, base, 'My phone', options.add);
  const [made, ...more] = await device.keys();
  assert.equal(more.length, 0);
  assert.equal(made.isResidentCredential, true);
  assert.equal(made.rpId, new URL(base).hostname);
  assert.equal(Buffer.from(made.userHandle, 'base64').length, 64);
  await page.context().clearCookies();
  const said = await signIn(page, base, options.signIn);
  const [used] = await device.keys();
  assert.ok(used.signCount > made.signCount, `counter ${made.signCount}, then ${used.signCount}`);
  return { device, made, used, said };
}

// copied: the key is used by two devices. The one that is behind is found out, and both are shut out.
export async function copied(page, base, options = {}) {
  const { device, made } = await journey(page, base, options);
  const w = { ...words, ...options.signIn?.words };
  await device.put(made); // the counter falls back to what it was when the key was copied
  await page.context().clearCookies();
  await signIn(page, base, { ...options.signIn, expect: w.copied });
  await signIn(page, base, { ...options.signIn, expect: w.copied });
}
