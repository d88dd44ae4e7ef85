/** What a check of the connection found, line by line, and consent to a certificate nobody vouches for. */

import { h, uid } from "./dom.js";
import { t, tOr } from "./i18n.js";
import { icon } from "./icons.js";
import { said } from "./shell.js";

/**
 * onTrust(fingerprint): the person compared it and trusts it; null where the administrator does not allow that, and
 * left out where it is not the place to decide.
 */
export function findingsList(findings, { onTrust } = {}) {
  return h(
    "ul",
    { class: "findings", data: { list: "findings" } },
    findings.map((finding) =>
      h(
        "li",
        { class: finding.ok ? "finding finding-ok" : "finding finding-bad", data: { what: finding.what, ok: String(finding.ok) } },
        icon(finding.ok ? "check" : "error"),
        h(
          "div",
          null,
          h("strong", null, tOr([`finding.${finding.what}`], finding.what)),
          h("span", { class: "unseen" }, t(finding.ok ? "finding.ok" : "finding.bad")),
          finding.message ? h("p", null, said(finding.message)) : null,
          finding.ok || !finding.remedy ? null : h("p", { class: "hint" }, said(finding.remedy)),
          !finding.ok && finding.fingerprint ? consent(finding.fingerprint, onTrust) : null,
        ),
      ),
    ),
  );
}

/** "AB:CD:…" in four short lines, as certificate viewers show it. */
export function fingerprintText(hex) {
  return (hex.match(/../g) ?? []).map((pair) => pair.toUpperCase()).join(":");
}

function consent(fingerprint, onTrust) {
  const id = uid("trust");
  return h(
    "div",
    { class: "fingerprint" },
    h("p", null, t("connect.fingerprint")),
    h("code", null, fingerprintText(fingerprint)),
    onTrust
      ? h(
          "div",
          { class: "choice" },
          h("input", {
            type: "checkbox",
            id,
            data: { action: "trust-certificate" },
            on: { change: (event) => onTrust(event.currentTarget.checked ? fingerprint : null) },
          }),
          h("label", { for: id }, t("connect.trust")),
        )
      : onTrust === null && h("p", { class: "hint" }, t("connect.trust_not_allowed")),
  );
}
