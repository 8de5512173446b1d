/*
 * Passkeys: the one thing on these pages that needs a script. It takes the options that stand on the form, lets the
 * browser ask the person, writes the answer into the form and posts it. Without it the form stays hidden.
 */
(() => {
  const form = document.getElementById('passkey');
  if (!form || !window.PublicKeyCredential) return;
  const problem = document.getElementById('passkey-problem');
  const isRegistration = form.dataset.ceremony === 'create';
  const bytesOf = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
  const textOf = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, '-')
      .replace(/\//g, '_')
      .replace(/=/g, '');
  const withBytes = (descriptors) => (descriptors ?? []).map((each) => ({ ...each, id: bytesOf(each.id) }));

  function optionsOf() {
    const options = JSON.parse(form.dataset.options);
    options.challenge = bytesOf(options.challenge);
    if (options.user) options.user.id = bytesOf(options.user.id);
    if (isRegistration) options.excludeCredentials = withBytes(options.excludeCredentials);
    else options.allowCredentials = withBytes(options.allowCredentials);
    return options;
  }

  function answerOf({ id, type, response }) {
    const answer = { id, type, clientDataJSON: textOf(response.clientDataJSON) };
    if (isRegistration) {
      const transports = response.getTransports ? response.getTransports().join(' ') : '';
      return { ...answer, attestationObject: textOf(response.attestationObject), transports };
    }
    const { authenticatorData, signature, userHandle } = response;
    return {
      ...answer,
      authenticatorData: textOf(authenticatorData),
      signature: textOf(signature),
      userHandle: userHandle && userHandle.byteLength > 0 ? textOf(userHandle) : null,
    };
  }

  let waiting = null;
  async function ask(mediation) {
    waiting?.abort();
    const controller = new AbortController();
    waiting = controller;
    const request = { publicKey: optionsOf(), signal: controller.signal, ...(mediation ? { mediation } : {}) };
    try {
      const credential = isRegistration
        ? await navigator.credentials.create(request)
        : await navigator.credentials.get(request);
      if (!credential) return;
      form.elements.namedItem('response').value = JSON.stringify(answerOf(credential));
      form.submit();
    } catch {
      if (controller.signal.aborted || mediation) return; // given up for another try, or nothing was chosen
      problem.hidden = false;
      problem.focus();
    }
  }

  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    problem.hidden = true;
    const box = document.getElementById('remember');
    const trust = form.elements.namedItem('remember');
    if (trust) trust.disabled = !box?.checked;
    void ask();
  });

  if (form.dataset.conditional !== 'yes' || !PublicKeyCredential.isConditionalMediationAvailable) return;
  void PublicKeyCredential.isConditionalMediationAvailable().then((isAvailable) => {
    if (isAvailable) void ask('conditional');
  });
})();
