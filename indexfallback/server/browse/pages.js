// Buttons that copy commands, and a start page that renews itself; the pages work without it.
"use strict";
(() => {
  const main = document.querySelector("main");
  const seconds = Number(main.dataset.renew);
  // After no answer, seconds: a shim that was stopped is seldom back at once.
  const patience = 10;
  const copied = 2;
  // Without a login, which an address may have and a request must not.
  const address = location.origin + location.pathname + location.search;

  // Copying

  function addButtons(root) {
    for (const code of root.querySelectorAll("code.command")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", `Copy ${code.textContent}`);
      code.after(button);
    }
  }

  async function copy(button) {
    const code = button.previousElementSibling;
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(code.textContent);
    } else { // not on this machine, and not by TLS
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    const status = document.querySelector("[role=status]");
    button.textContent = status.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy";
      status.textContent = "";
    }, copied * 1000);
  }

  // Renewal: nodes that have not changed stay as they are, and with them focus and selection.

  function isSelected(node) {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(node, true);
  }

  function isInUse(node) {
    return node.contains(document.activeElement) || isSelected(node);
  }

  function renewNode(node, fresh) {
    if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.nodeValue !== fresh.nodeValue && !isSelected(node)) node.nodeValue = fresh.nodeValue;
      return;
    }
    for (const { name, value } of fresh.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    for (const { name } of [...node.attributes]) {
      if (!fresh.hasAttribute(name)) node.removeAttribute(name);
    }
    renewChildren(node, fresh);
  }

  // Children with an id are the same wherever they are; others if they are alike and in the place.
  function renewChildren(parent, fresh) {
    const known = new Map([...parent.children].map((child) => [child.id, child]));
    const wanted = new Set([...fresh.children].map((child) => child.id));
    for (const [id, child] of known) {
      if (id && !wanted.has(id) && !isInUse(child)) child.remove();
    }
    let next = parent.firstChild;
    for (const node of [...fresh.childNodes]) {
      while (next && next.id && !wanted.has(next.id)) next = next.nextSibling; // in use
      const alike = next && !next.id && next.nodeName === node.nodeName ? next : null;
      const same = node.id ? known.get(node.id) : alike;
      if (!same) {
        parent.insertBefore(document.importNode(node, true), next);
        continue;
      }
      if (same === next) next = next.nextSibling;
      else parent.insertBefore(same, next);
      renewNode(same, node);
    }
    while (next) {
      const last = next;
      next = next.nextSibling;
      if (!isInUse(last)) last.remove();
    }
  }

  // What is on the screen stays where it is when something is added above it.
  function keepingPlace(change) {
    const top = (element) => element.getBoundingClientRect().top;
    const seen = [...main.querySelectorAll("li[id], tr[id]")].find((row) => top(row) >= 0);
    const before = scrollY && seen ? top(seen) : null;
    change();
    if (before !== null && seen.isConnected) scrollBy(0, top(seen) - before);
  }

  async function renewed() {
    try {
      const signal = AbortSignal.timeout(patience * 1000);
      const answer = await fetch(address, { cache: "no-store", signal });
      if (!answer.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main[data-renew]");
      if (!fresh) return false;
      addButtons(fresh);
      keepingPlace(() => renewNode(main, fresh));
      return true;
    } catch (error) { // the shim was stopped
      return false;
    }
  }

  async function keepRenewing() {
    if (document.hidden) {
      document.addEventListener("visibilitychange", keepRenewing, { once: true });
      return;
    }
    const isThere = await renewed();
    if (!isThere) document.getElementById("silent").hidden = false;
    setTimeout(keepRenewing, (isThere ? seconds : patience) * 1000);
  }

  addButtons(document);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });
  if (seconds) {
    document.documentElement.style.overflowAnchor = "none"; // `keepingPlace` does it, everywhere
    setTimeout(keepRenewing, seconds * 1000);
  }
})();
