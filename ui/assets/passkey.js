// Asks the browser for a passkey, to add it or to sign in with it: options from the node, the browser's answer back to it.
const send = async (path, body) => {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  const answer = await response.json().catch(() => ({ message: 'This node did not answer as it should: try again.' }));
  if (!response.ok || answer.message) throw new Error(answer.message);
  return answer;
};

for (const note of document.querySelectorAll('[data-unscripted]')) note.hidden = true;
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const status = form.querySelector('[role=status]');
  form.hidden = false;
  if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    status.textContent = 'This browser is too old for passkeys, or they are switched off in it.';
    form.querySelector('button').disabled = true;
    continue;
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    status.textContent = 'Your browser asks for a passkey …';
    try {
      const { publicKey } = await send(form.dataset.begin);
      const credential = form.dataset.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      const { next } = await send(`${form.dataset.finish}?${new URLSearchParams(new FormData(form))}`, JSON.stringify(credential));
      location.assign(next);
    } catch (error) {
      const why = { InvalidStateError: 'This device holds a passkey of your account already.', NotAllowedError: 'The browser was not allowed to use it, or nobody answered it in time.' };
      status.textContent = `The passkey was not used: ${why[error.name] ?? error.message}`;
    }
  });
}
