// Passkeys: the browser's part of making one and of logging in with one.

const SALT = new TextEncoder().encode("mailstead mailbox");
const octets = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const extensions = { prf: { eval: { first: SALT } } };

const ask = async (path, content, csrf) => {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(csrf && { "X-CSRF-Token": csrf }) },
    body: JSON.stringify(content),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.problem ?? "");
  return told;
};

const secretOf = (credential) => {
  const first = credential.getClientExtensionResults().prf?.results?.first;
  return first ? text(first) : "";
};

const described = (credential) => {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} };
};

const prove = (options) => navigator.credentials.get({ publicKey: { ...options, extensions } });

const add = async (form) => {
  const csrf = form.dataset.csrf;
  const options = await ask("/account/security/passkeys/options", {}, csrf);
  options.challenge = octets(options.challenge);
  options.user.id = octets(options.user.id);
  for (const one of options.excludeCredentials ?? []) one.id = octets(one.id);
  const credential = await navigator.credentials.create({ publicKey: { ...options, extensions } });
  let secret = secretOf(credential);
  if (!secret && credential.getClientExtensionResults().prf?.enabled) {
    // some devices tell the secret only when they prove the key
    const challenge = crypto.getRandomValues(new Uint8Array(32));
    secret = secretOf(await prove({ challenge, rpId: options.rp.id, allowCredentials: [{ type: "public-key", id: credential.rawId }], userVerification: "required" }));
  }
  const told = await ask("/account/security/passkeys", { credential: described(credential), label: form.elements.label.value, secret }, csrf);
  location.assign(told.next);
};

const logIn = async (place) => {
  const options = await ask("/login/passkey/options", {});
  options.challenge = octets(options.challenge);
  const credential = await prove(options);
  const told = await ask("/login/passkey", { credential: described(credential), secret: secretOf(credential), next: place.dataset.next });
  location.assign(told.next);
};

const told = async (place, run) => {
  const line = place.querySelector("[data-told]");
  line.textContent = "";
  try {
    await run(place);
  } catch (error) {
    line.textContent = (error instanceof DOMException ? "" : error.message) || place.dataset.failed;
  }
};

if (window.PublicKeyCredential) {
  const [login, making] = [document.querySelector("[data-passkey-login]"), document.querySelector("[data-passkey-add]")];
  if (login) {
    login.hidden = false;
    login.querySelector("button").addEventListener("click", () => told(login, logIn));
  }
  if (making) {
    making.hidden = false;
    making.addEventListener("submit", (event) => {
      event.preventDefault();
      told(making, add);
    });
  }
}
