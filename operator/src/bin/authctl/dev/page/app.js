// The playground. It decides nothing and knows no rule: it sends what is in the fields to the API and shows what comes
// back. All of it is set as text; the page's policy (Trusted Types) refuses HTML that is made of text.

const byId = (id) => document.getElementById(id);
const fields = Object.fromEntries(
  ["config", "tests", "persona", "request", "kind", "own"].map((id) => [id, byId(id)]),
);
const PANELS = ["explain", "answer", "event", "routes", "matrix", "changes"];
const NOBODY = "nobody";

/** What is on disk, as it was last read. */
let saved = null;
/** Counts questions: an answer to an earlier one is dropped. */
let asked = 0;
let pending = null;
let shown = "explain";

// --- Elements -------------------------------------------------------------------------------------------------------

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

/** A text of the documents: `code` is marked, and of a link its words are left. */
const rich = (text) => text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
/** A name that may be broken after each underscore and slash. */
const breakable = (text) => text.split(/(?<=[_/])/).flatMap((part, index) => (index ? [element("wbr"), part] : [part]));

const show = (id, ...children) => byId(id).replaceChildren(...children);
const json = (value) => element("pre", {}, JSON.stringify(value, null, 2));
const paragraph = (text, kind = "hint") => element("p", { class: kind }, ...rich(text));

/** The class and the sign of a decision: never a colour alone. */
const LOOK = {
  allow: { kind: "allow", sign: "✓", word: "Allowed" },
  forbidden: { kind: "refuse", sign: "✕", word: "Forbidden (403)" },
  unauthorized: { kind: "refuse", sign: "✕", word: "Unauthorized (401)" },
  unavailable: { kind: "fail", sign: "!", word: "No decision (500)" },
};
const look = (decision) => LOOK[decision] ?? { kind: "fail", sign: "?", word: decision };

// --- The API --------------------------------------------------------------------------------------------------------

function accessKey() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("key", given);
    // Out of the address bar, where screenshots and histories would keep it.
    history.replaceState(null, "", "/");
  }
  return sessionStorage.getItem("key") ?? "";
}

const key = accessKey();

async function ask(path, body) {
  const response = await fetch(`/api/${path}`, {
    method: body ? "POST" : "GET",
    headers: { "x-authctl-key": key, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error((await response.text()).trim());
  return response.json();
}

function notice(text) {
  const place = byId("notice");
  place.hidden = !text;
  place.textContent = text;
}

// --- What is asked --------------------------------------------------------------------------------------------------

function question() {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]));
}

function changed() {
  clearTimeout(pending);
  pending = setTimeout(() => void update(), 200);
}

async function update() {
  const mine = ++asked;
  const isEdited = saved && (fields.config.value !== saved.config.text || fields.tests.value !== saved.tests.text);
  byId("edited").textContent = isEdited ? "Edited, not saved." : "As saved.";
  byId("revert").disabled = !isEdited;
  try {
    const judged = await ask("judge", question());
    if (mine !== asked) return;
    notice("");
    showFaults(judged.faults);
    options(fields.persona, [...judged.personas, NOBODY]);
    show("requests", ...judged.requests.map((request) => element("option", { value: request })));
    showJudgement(judged.judgement);
    await showPanel(mine);
  } catch (error) {
    if (mine === asked) notice(error.message);
  }
}

/** The choices, without losing the choice. */
function options(select, names) {
  const same = names.length === select.options.length && names.every((name, index) => select.options[index].value === name);
  if (same || names.length < 2) return;
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  if (names.includes(chosen)) select.value = chosen;
}

// --- Faults ---------------------------------------------------------------------------------------------------------

function showFaults(faults) {
  if (faults.length === 0) return show("faults");
  const item = ({ field, line, column, message }) => {
    const go = () => moveTo(fields[field], line, column ?? 1);
    const place = line ? element("button", { type: "button", onclick: go }, `${PLACES[field]} line ${line}`) : PLACES[field];
    return element("li", {}, place, `: ${message}`);
  };
  show("faults", element("ul", {}, ...faults.map(item)));
}

const PLACES = { config: "Configuration", tests: "Personas and tests", own: "The edited persona", request: "The request" };

function moveTo(area, line, column) {
  const before = area.value.split("\n").slice(0, line - 1);
  const start = before.reduce((length, text) => length + text.length + 1, 0) + column - 1;
  area.focus();
  area.setSelectionRange(start, start);
  area.scrollTop = Math.max(0, line - 4) * parseFloat(getComputedStyle(area).lineHeight);
}

// --- Results --------------------------------------------------------------------------------------------------------

function showJudgement(judgement) {
  const place = byId("verdict");
  if (!judgement) {
    place.className = "verdict fail";
    show("verdict", element("span", { class: "word" }, "? No verdict"), paragraph("First mend the faults.", "detail"));
    for (const panel of ["explain", "answer", "event"]) show(`panel-${panel}`, paragraph("Nothing to show: there are faults."));
    return;
  }
  const { kind, sign, word } = look(judgement.decision);
  place.className = `verdict ${kind}`;
  show(
    "verdict",
    element("span", { class: "word" }, `${sign} ${word} `),
    element("code", {}, judgement.outcome),
    judgement.detail ? `: ${judgement.detail}` : "",
    judgement.would_be ? paragraph(`Let in by a rule that only reports: it would be refused as \`${judgement.would_be}\`.`, "detail") : "",
    judgement.route ? element("p", { class: "detail" }, "Route ", element("code", {}, judgement.route)) : "",
    judgement.meaning ? paragraph(judgement.meaning, "detail") : "",
    judgement.remedy ? paragraph(`What to do: ${judgement.remedy}`, "detail") : "",
  );
  show("panel-explain", explanation(judgement.steps));
  show(
    "panel-answer",
    paragraph(judgement.fails ? "The invocation fails, so that nothing is cached. API Gateway gets:" : "API Gateway gets:"),
    json(judgement.answer),
  );
  show("panel-event", paragraph(judgement.event_hint), json(judgement.event));
}

function explanation(steps) {
  const step = ({ held, title, text, parts }) => {
    const kind = held === true ? "good" : held === false ? "bad" : "";
    const sign = held === true ? "✓" : held === false ? "✕" : "·";
    const spoken = held === true ? "holds" : held === false ? "does not hold" : "";
    return element(
      "li",
      { class: kind },
      element("span", { class: "sign", "aria-hidden": "true" }, sign),
      spoken ? element("span", { class: "spoken" }, `${spoken}: `) : "",
      title ? element("strong", {}, title) : "",
      title && text ? ": " : "",
      ...rich(text ?? ""),
      parts?.length ? element("ol", { class: "steps" }, ...parts.map(step)) : "",
    );
  };
  return element("ol", { class: "steps" }, ...steps.map(step));
}

const PANEL = {
  async routes(mine) {
    const { rows, note, policy } = await ask("routes", question());
    if (mine !== asked) return;
    const request = ({ request, whose, outcome, detail }) =>
      element("li", {}, element("code", {}, request), whose ? ` (${whose})` : "", ` → ${outcome}`, detail ? `: ${detail}` : "");
    const row = ({ route, asks, state, requests }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, ...breakable(route)),
        element("td", { class: STATES[state].kind }, element("span", { class: "mark" }, STATES[state].sign), STATES[state].word),
        element("td", {}, asks),
        element("td", {}, element("ul", { class: "plain" }, ...requests.map(request))),
      );
    show(
      "panel-routes",
      table(note, ["Route", "It is", "It asks for", "Tried"], rows.map(row)),
      ...(policy ? [element("h3", {}, "The policy that API Gateway may keep"), json(policy)] : []),
    );
  },
  async matrix(mine) {
    const { personas, rows, note } = await ask("matrix", question());
    if (mine !== asked) return;
    const cell = ({ outcome, decision, request }, index) => {
      const { kind, sign } = look(decision);
      const pick = () => choose(personas[index], request);
      const label = `${personas[index]}, ${request}: ${outcome}. Explain`;
      return element(
        "td",
        { class: kind },
        element("button", { type: "button", onclick: pick, "aria-label": label }, element("span", { class: "mark" }, sign), ...breakable(outcome)),
      );
    };
    const row = ({ route, whose, asks, cells }) =>
      element("tr", {}, element("th", { scope: "row", title: asks }, ...breakable(route), whose ? ` (${whose})` : ""), ...cells.map(cell));
    show("panel-matrix", table(note, ["Route", ...personas], rows.map(row)));
  },
  async changes(mine) {
    const { rows, note } = await ask("diff", question());
    if (mine !== asked) return;
    if (rows.length === 0) return show("panel-changes", paragraph(note));
    const row = ({ change, persona, route, request, before, after }) =>
      element(
        "tr",
        {},
        element("td", { class: CHANGES[change].kind }, element("span", { class: "mark" }, CHANGES[change].sign), CHANGES[change].word),
        element("td", {}, persona),
        element("th", { scope: "row" }, request),
        element("td", {}, before),
        element("td", {}, after),
        element("td", {}, element("code", {}, route ?? "")),
      );
    show("panel-changes", table(note, ["Change", "Persona", "Request", "Saved", "Edited", "Route"], rows.map(row)));
  },
};

const CHANGES = {
  opened: { kind: "fail", sign: "+", word: "newly allowed" },
  closed: { kind: "refuse", sign: "−", word: "newly refused" },
  other: { kind: "", sign: "·", word: "another reason" },
};

const STATES = {
  open: { kind: "allow", sign: "✓", word: "open" },
  closed: { kind: "refuse", sign: "✕", word: "closed" },
  own: { kind: "own", sign: "◐", word: "open for one's own" },
};

/** A note that stays where it is, and a table that may scroll sideways below it. */
function table(note, heads, rows) {
  return element(
    "div",
    {},
    paragraph(note),
    element(
      "div",
      { class: "scroll", role: "region", "aria-label": note.replaceAll("`", ""), tabindex: "0" },
      element(
        "table",
        {},
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...rows),
      ),
    ),
  );
}

async function showPanel(mine) {
  if (!PANEL[shown]) return;
  try {
    await PANEL[shown](mine);
  } catch (error) {
    if (mine === asked) show(`panel-${shown}`, paragraph(error.message));
  }
}

function choose(persona, request) {
  fields.persona.value = persona;
  fields.request.value = request;
  fields.own.value = "";
  select("explain");
  byId("verdict").focus();
  void update();
}

// --- Tabs (ARIA Authoring Practices: tabs with automatic activation) -------------------------------------------------

function select(name) {
  shown = name;
  for (const panel of PANELS) {
    const is = panel === name;
    byId(`tab-${panel}`).setAttribute("aria-selected", String(is));
    byId(`tab-${panel}`).tabIndex = is ? 0 : -1;
    byId(`panel-${panel}`).hidden = !is;
  }
}

byId("tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (!tab) return;
  select(tab.id.slice(4));
  void showPanel(asked);
});

byId("tabs").addEventListener("keydown", (event) => {
  const at = PANELS.indexOf(shown);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1 + PANELS.length, Home: 0, End: PANELS.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  select(PANELS[next % PANELS.length]);
  byId(`tab-${shown}`).focus();
  void showPanel(asked);
});

// --- Start ----------------------------------------------------------------------------------------------------------

async function load() {
  const project = await ask("project");
  const isFirst = saved === null;
  // What somebody is editing is left alone.
  const isUntouched = (name) => isFirst || fields[name].value === saved[name].text;
  let news = isFirst;
  for (const name of ["config", "tests"]) {
    if (isUntouched(name) && fields[name].value !== project[name].text) {
      fields[name].value = project[name].text;
      news = true;
    }
    byId(`${name}-path`).textContent = project[name].path;
  }
  news ||= project.config.text !== saved.config.text;
  saved = project;
  if (isFirst) {
    fields.kind.replaceChildren(...project.kinds.map((kind) => element("option", { value: kind }, kind)));
    fields.kind.value = "http_2.0";
    options(fields.persona, [...project.personas, NOBODY]);
    fields.request.value = project.requests[0] ?? "GET /";
  }
  if (news) await update();
}

byId("question").addEventListener("submit", (event) => event.preventDefault());
for (const field of Object.values(fields)) field.addEventListener("input", changed);
byId("revert").addEventListener("click", () => {
  for (const name of ["config", "tests"]) fields[name].value = saved[name].text;
  void update();
});

const refresh = () => load().catch((error) => notice(error.message));
await refresh();
setInterval(() => {
  if (document.visibilityState === "visible") void refresh();
}, 2000);
