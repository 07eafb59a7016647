// The page of a review: keys, selected words, and decisions that are shown as made only once they are on the disk.
"use strict";

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const csrf = $('meta[name="csrf"]').content;
const work = $("#work");
const locked = !work || "locked" in work.dataset;
const adjudicating = work?.dataset.url === "/adjudication";
let current = null; // id of the line that has the focus, or had it last
let chosen = null; // selected words: {start, end, text}
let pending = null; // what could not be saved
let busy = false;
let since = performance.now();
let away = 0;
let left = 0;

function say(text) {
  $("#said").textContent = text;
}

function notice(text, again) {
  $("#notice p").textContent = text;
  $("#notice").hidden = false;
  const button = $('#notice [data-act="again"]');
  button.hidden = !again;
  if (again) button.focus();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) left = performance.now();
  else away += performance.now() - left;
});

function seconds() {
  return (performance.now() - since - away) / 1000;
}

async function post(url, body) {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  });
  const text = await reply.text();
  try {
    return [reply, JSON.parse(text)];
  } catch {
    return [reply, { message: text.slice(0, 300) }];
  }
}

// Lines of the form

const lines = () => $$("#form .item");
const line = () => (current && document.getElementById(current)) || null;

function focusLine(item, { scroll = true } = {}) {
  if (!item) return;
  item.focus({ preventScroll: !scroll });
  if (scroll) item.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = lines();
  const at = all.indexOf(line());
  focusLine(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function nextOpen(after) {
  const all = lines();
  const rest = [...all.slice(after + 1), ...all.slice(0, after + 1)];
  return rest.find((item) => item.dataset.status === "open") || all[Math.min(after + 1, all.length - 1)];
}

function lightUp(item) {
  $$("#text mark.here").forEach((mark) => mark.classList.remove("here"));
  const id = item?.dataset.item;
  if (!id) return;
  const marks = $$("#text mark").filter((mark) => mark.dataset.ids.split(" ").includes(id));
  marks.forEach((mark) => mark.classList.add("here"));
  marks[0]?.scrollIntoView({ block: "nearest" });
}

function tally() {
  const data = $("#form .tally")?.dataset;
  if (!data) return;
  const open = Number(data.open);
  const done = Number(data.decided);
  $("#tally").textContent = data.finished
    ? adjudicating ? "All settled" : "Finished"
    : `${done} of ${done + open} ${adjudicating ? "settled" : "decided"}`;
}

// Selected words, as code points of the article's text

function point(node, offset) {
  if (node.nodeType === Node.ELEMENT_NODE) {
    const child = node.childNodes[offset];
    const piece = child && (child.nodeType === Node.ELEMENT_NODE ? child : child.parentElement);
    const inside = piece && (piece.closest("[data-start]") || $("[data-start]", piece));
    if (inside) return Number(inside.dataset.start);
    const before = $$("[data-start]", node).pop();
    return before ? Number(before.dataset.start) + [...before.textContent].length : null;
  }
  const piece = node.parentElement.closest("#text [data-start]");
  return piece ? Number(piece.dataset.start) + [...node.data.slice(0, offset)].length : null;
}

document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  if (!work || !selection.rangeCount || selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  if (!$("#text").contains(range.commonAncestorContainer)) return;
  const start = point(range.startContainer, range.startOffset);
  const end = point(range.endContainer, range.endOffset);
  if (start !== null && end !== null && start < end) chosen = { start, end, text: selection.toString() };
});

// Where typed words stand in the text: the place nearest to the words before; null where they do not.
function placeOf(words, near) {
  const whole = $$("#text [data-start]").map((piece) => piece.textContent).join("");
  const fold = (string) => string.replaceAll(/[\s]/g, " ");
  const [sought, within] = [fold(words.trim()), fold(whole)];
  if (!sought) return null;
  let best = null;
  for (let at = within.indexOf(sought); at >= 0; at = within.indexOf(sought, at + 1)) {
    const start = [...whole.slice(0, at)].length;
    if (best === null || Math.abs(start - near) < Math.abs(best - near)) best = start;
  }
  return best === null ? null : { start: best, end: best + [...sought].length };
}

function takeChosen() {
  const words = chosen;
  chosen = null;
  document.getSelection().removeAllRanges();
  return words;
}

// Saving

async function save(action, { from = line(), editor = null, next = true } = {}) {
  if (locked || busy) return;
  busy = true;
  const before = lines().indexOf(from);
  const body = { ...action, revision: Number(work.dataset.revision), seconds: seconds() };
  let reply, content;
  try {
    [reply, content] = await post(`${work.dataset.url}/steps?id=${encodeURIComponent(work.dataset.id)}`, body);
  } catch {
    busy = false;
    pending = [action, { next }];
    notice(`The page's program does not answer: this was NOT saved. Yours: ${told(action)}. If it has ended, start caseframe review again and open the new address.`, true);
    return;
  }
  busy = false;
  if (reply.ok) {
    $("#notice").hidden = true;
    pending = null;
    since = performance.now();
    away = 0;
    closeEditor(editor);
    show(content, before, next);
    say(`Saved. ${$("#tally").textContent}`);
    if (action.action === "finish") location.assign(`/next?after=${encodeURIComponent(work.dataset.id)}`);
    return;
  }
  if (reply.status === 422) {
    const problem = editor && $(".problem", editor);
    if (problem) problem.textContent = content.message;
    else notice(content.message, false);
    return;
  }
  pending = [action, { editor, next }];
  const conflict = reply.status === 409;
  if (conflict && content.form) show(content, before, false);
  notice(`${conflict ? content.message : `NOT saved: ${content.message}`}. Yours: ${told(action)}.`, action.action !== "undo");
}

function told(action) {
  const said = action.reading?.value || action.text || action.choice || "";
  return [action.action.replace("_", " "), said].filter(Boolean).join(": ").slice(0, 120);
}

function show(content, before, next) {
  const [text, pane] = [$("#text"), $(".pane.right")];
  const [above, aboveForm] = [text.scrollTop, pane.scrollTop];
  work.dataset.revision = content.revision;
  text.innerHTML = content.text;
  $("#form").innerHTML = content.form;
  text.scrollTop = above;
  pane.scrollTop = aboveForm;
  tally();
  if (next) focusLine(nextOpen(before));
  else focusLine(line() || lines()[Math.max(before, 0)]);
}

// The editor

function closeEditor(editor) {
  (editor || $(".editor"))?.remove();
}

async function openEditor(place, query, { target = "", typed = null } = {}) {
  if (locked) return;
  if (!typed) closeEditor();
  const words = takeChosen();
  if (words) Object.assign(query, { start: words.start, end: words.end });
  const search = new URLSearchParams({ id: work.dataset.id, ...query });
  const reply = await fetch(`${work.dataset.url}/editor?${search}`);
  if (!reply.ok) return notice((await reply.json()).message, false);
  const holder = document.createElement("div");
  holder.innerHTML = await reply.text();
  const editor = holder.firstElementChild;
  editor.dataset.from = current || "";
  const [before, value] = [typed && $('input[name="value"]', typed), $('input[name="value"]', editor)];
  if (before && value && before.value !== before.defaultValue) value.value = before.value;
  closeEditor(typed);
  place.append(editor);
  const first = target ? $('[name="value"]', editor) : $('[name="field"]', editor).value ? $('[name="value"]', editor) : $('[name="field"]', editor);
  first.focus({ preventScroll: true });
  first.select?.();
  editor.scrollIntoView({ block: "nearest" });
}

function openRemark(place, id, text) {
  if (locked) return;
  closeEditor();
  const editor = document.createElement("form");
  editor.className = "editor";
  editor.dataset.remark = id;
  editor.dataset.from = current || "";
  const label = document.createElement("label");
  label.append(id ? "Comment on this line" : "Comment on the article");
  const area = document.createElement("textarea");
  area.name = "text";
  area.maxLength = 4000;
  area.value = text;
  label.append(area);
  const problem = Object.assign(document.createElement("p"), { className: "problem" });
  problem.setAttribute("role", "alert");
  const ends = Object.assign(document.createElement("div"), { className: "ends" });
  const keep = Object.assign(document.createElement("button"), { className: "primary", textContent: "Save" });
  const cancel = Object.assign(document.createElement("button"), { type: "button", textContent: "Cancel" });
  cancel.dataset.act = "cancel";
  ends.append(keep, cancel);
  editor.append(label, problem, ends);
  place.append(editor);
  area.focus();
}

function reading(editor) {
  const data = new FormData(editor);
  const attributes = {};
  for (const [name, value] of data) {
    if (name.startsWith("attribute:") && value.trim()) attributes[name.slice(10)] = value;
  }
  return {
    value: data.get("value") || "",
    assertion: data.get("assertion"),
    start: Number(editor.dataset.start),
    end: Number(editor.dataset.end),
    attributes,
  };
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id === "who") {
    event.preventDefault();
    const [reply, content] = await post("/who", { name: $("#name").value });
    if (reply.ok) location.assign(content.to);
    else notice(content.message, false);
  }
  if (!form.matches(".editor")) return;
  event.preventDefault();
  const from = document.getElementById(form.dataset.from);
  const data = new FormData(form);
  const target = form.dataset.target;
  if ("remark" in form.dataset) {
    save({ action: "comment", finding: form.dataset.remark, text: data.get("text") }, { from, editor: form, next: false });
  } else if (adjudicating) {
    save({ action: "settle", unit: target, choice: "other", reading: reading(form) }, { from, editor: form });
  } else if (target) {
    save({ action: "correct", finding: target, reading: reading(form) }, { from, editor: form });
  } else {
    const place = { case: Number(data.get("case")), field: data.get("field") };
    save({ action: "add", ...place, reading: reading(form) }, { from, editor: form, next: false });
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-refetch]")) {
    const editor = event.target.closest(".editor");
    const query = { field: event.target.value, case: $('[name="case"]', editor).value };
    if (query.case === "0") delete query.case;
    if (Number(editor.dataset.start) >= 0) Object.assign(query, { start: editor.dataset.start, end: editor.dataset.end });
    editor.dataset.loading = "yes";
    openEditor(editor.parentElement, query, { typed: editor });
  }
  if (event.target.name === "words") {
    const editor = event.target.closest(".editor");
    const place = placeOf(event.target.value, Number(editor.dataset.start));
    $(".problem", editor).textContent = place || !event.target.value ? "" : "These words do not stand in the text like that.";
    event.target.setCustomValidity($(".problem", editor).textContent);
    if (place) Object.assign(editor.dataset, place);
  }
  if (event.target.dataset.group) {
    $("#text").classList.toggle(`no-${event.target.dataset.group}`, !event.target.checked);
  }
  if (event.target.id === "keys-on") localStorage.setItem("caseframe-keys", event.target.checked ? "on" : "off");
});

let typing = 0;
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-terms]")) return;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    const field = $('[name="field"]', event.target.form).value;
    const reply = await fetch(`/terms?${new URLSearchParams({ field, q: event.target.value })}`);
    if (!reply.ok) return;
    const options = (await reply.json()).map((term) => Object.assign(document.createElement("option"), { value: term }));
    $("#terms").replaceChildren(...options);
  }, 150);
});

// What keys and buttons do

const acts = {
  help: () => $("#help").showModal(),
  dismiss: () => ($("#notice").hidden = true),
  again: () => {
    const [action, options] = pending || [];
    $("#notice").hidden = true;
    if (action) save(action, options);
  },
  cancel: () => {
    closeEditor();
    focusLine(line());
  },
  accept: (item) => item?.dataset.item && save({ action: "accept", findings: [item.dataset.item] }, { from: item }),
  reject: (item) => item?.dataset.item && save({ action: "reject", findings: [item.dataset.item] }, { from: item }),
  correct: (item) => item?.dataset.item && openEditor(item.parentElement, { finding: item.dataset.item }, { target: item.dataset.item }),
  not_reported: (item) =>
    item && save({ action: "not_reported", case: Number(item.dataset.case), field: item.dataset.field }, { from: item }),
  add: (item) => {
    const query = {};
    if (item && Number(item.dataset.case)) query.case = item.dataset.case;
    if (item?.matches("[data-empty]")) query.field = item.dataset.field;
    openEditor($("#new"), query);
  },
  comment: (item) => item?.dataset.item && openRemark(item.parentElement, item.dataset.item, $(".comment", item)?.textContent || ""),
  remark: () => openRemark($("#new"), "", $("#form .tally").dataset.comment),
  accept_all: () => {
    const open = lines().filter((item) => item.dataset.status === "open").map((item) => item.dataset.item);
    if (open.length) save({ action: "accept", findings: open });
    else say("Nothing is open");
  },
  undo: () => save({ action: "undo" }, { next: false }),
  finish: () => save({ action: "finish" }, { next: false }),
  first: (item) => settle(item, "first"),
  second: (item) => settle(item, "second"),
  neither: (item) => settle(item, "neither"),
  take: () => {
    const editor = $(".editor");
    const words = takeChosen();
    if (!words) return ($(".problem", editor).textContent = "Select words in the text first.");
    Object.assign(editor.dataset, { start: words.start, end: words.end });
    $('[name="words"]', editor).value = words.text;
    $(".problem", editor).textContent = "";
  },
};

function settle(item, choice) {
  if (item?.dataset.item) save({ action: "settle", unit: item.dataset.item, choice }, { from: item });
}

function back() {
  location.assign(adjudicating ? "/adjudication" : "/");
}

const group = (number) => $(`.legend [data-group="g${number}"]`)?.click();
const keys = adjudicating
  ? { 1: acts.first, 2: acts.second, 0: acts.neither, c: acts.correct, u: acts.undo }
  : {
      a: acts.accept, r: acts.reject, c: acts.correct, f: acts.add, n: acts.not_reported, m: acts.comment, M: acts.remark,
      A: acts.accept_all, u: acts.undo, d: acts.finish,
      ...Object.fromEntries([1, 2, 3, 4, 5].map((number) => [number, () => group(number)])),
    };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) {
    acts[button.dataset.act]?.(button.closest(".item") || line());
    return;
  }
  const mark = event.target.closest("#text mark");
  if (mark && document.getSelection().isCollapsed) {
    const ids = mark.dataset.ids.split(" ");
    focusLine(lines().find((item) => ids.includes(item.dataset.item)));
  }
});

document.addEventListener("focusin", (event) => {
  const item = event.target.closest("#form .item");
  if (!item || event.target.closest(".editor")) return;
  current = item.id;
  lightUp(item);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $(".editor")) return acts.cancel();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  if (!$("#keys-on").checked) return;
  if (event.key === "?") return acts.help();
  if (!work) return;
  const moves = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };
  const arrow = event.key.startsWith("Arrow");
  if (event.key in moves && !(arrow && !event.target.closest("#form .item"))) {
    event.preventDefault();
    return move(moves[event.key]);
  }
  if (event.key === "q") return back();
  if (event.key in keys && !locked) {
    event.preventDefault();
    keys[event.key](line());
  }
});

window.addEventListener("beforeunload", (event) => {
  if (pending || $(".editor")) event.preventDefault();
});

$("#keys-on").checked = localStorage.getItem("caseframe-keys") !== "off";
if (work) {
  tally();
  const first = lines().find((item) => item.dataset.status === "open") || lines()[0];
  focusLine(first, { scroll: false });
}
