// The least that a page must do for passkeys: fetch options, ask the browser, send its answer.
async function post(path, body) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const status = document.querySelector('[role=status]');
    status.textContent = '';
    try {
      const { publicKey } = await post(form.dataset.begin);
      const credential = form.dataset.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      const name = new FormData(form).get('name') ?? '';
      const answer = await post(`${form.dataset.finish}?name=${encodeURIComponent(name)}`, JSON.stringify(credential));
      status.textContent = answer.message;
    } catch (error) {
      status.textContent = `The passkey was not used: ${error.message}`;
    }
  });
}
