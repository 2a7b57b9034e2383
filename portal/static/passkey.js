// Makes and shows passkeys for forms with data-passkey; without it such a form says what else to do.
// Always true here: the options come with the page, the answer leaves with the form; nothing is fetched.
"use strict";

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

function read(options) {
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
  };
}

function written(credential) {
  const answer = credential.response;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  return JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(parts.filter((part) => answer[part]).map((part) => [part, toText(answer[part])])),
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const failed = form.querySelector("[data-failed]");
  form.querySelector("[data-scripted]").hidden = false;
  form.querySelector("[data-unscripted]").hidden = true;
  if (!window.PublicKeyCredential) {
    form.querySelector("[data-scripted]").hidden = true;
    form.querySelector("[data-unable]").hidden = false;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      const publicKey = read(JSON.parse(form.dataset.options));
      form.elements.passkey.value = written(await navigator.credentials[form.dataset.passkey]({ publicKey }));
      form.submit();
    } catch {
      failed.hidden = false;
      failed.focus();
    }
  });
}

for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
