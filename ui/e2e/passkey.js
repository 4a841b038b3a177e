// What a person does with passkeys on a node's pages, with Chromium's virtual authenticator as the phone. Pages are found by
// their address, their parts by role and name, as people and screen readers find them.
import assert from 'node:assert/strict';

export const failed = /was not used/;
export const copy = /a copy of this passkey seems to be in use/i;

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

// leave by the menu that has the person's name.
export async function leave(page, name = 'Chan Dara') {
  await page.locator('.tmh-menu summary', { hasText: name }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
}

// says waits until a status of the page says something that fits.
export async function says(page, pattern) {
  await page.getByRole('status').filter({ hasText: pattern }).waitFor();
}

// add a passkey to the account whose session the page has.
export async function add(page, base, name, expect = /Added/) {
  await page.goto(new URL('/account', base).href);
  await page.getByLabel('Name of the new passkey').fill(name);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await says(page, expect);
}

// signIn with the phone; where it is refused, the page says why.
export async function signIn(page, base, refused) {
  await page.goto(new URL('/sign-in?from=/account', base).href);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  if (refused) return says(page, refused);
  await page.getByRole('heading', { name: 'Your account' }).waitFor();
}

// journey: a passkey is added, then opens the account without a name or a password being typed; each use is counted.
export async function journey(page, base, enter) {
  const device = await phone(page);
  await enter(page);
  await add(page, base, 'My phone');
  const [made, ...more] = await device.keys();
  assert.equal(more.length, 0);
  assert.equal(made.isResidentCredential, true);
  assert.equal(made.rpId, new URL(base).hostname);
  assert.equal(Buffer.from(made.userHandle, 'base64').length, 64);
  await leave(page);
  await signIn(page, base);
  const [used] = await device.keys();
  assert.ok(used.signCount > made.signCount, `counter ${made.signCount}, then ${used.signCount}`);
  return { device, made };
}
