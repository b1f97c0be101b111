// SPDX-License-Identifier: Apache-2.0
// Asks /status every two seconds and shows what it says. Rates are differences of two answers.
import { bars, lines, shares, sparkline } from "./chart.js";
import { bytes, clock, count, duration, many, millis, percent, rate } from "./format.js";

const EVERY = 2000;
const PATIENCE = 8000;
const KEPT = 60;
const TOKEN = "sluice-admin-token";
const THEME = "sluice-theme";
const LEVELS = {
  plan_method: "Plan, one method",
  plan: "Plan",
  stage_method: "Stage, one method",
  account: "Account",
  source_ip: "Source address",
};

const $ = (id) => document.getElementById(id);
let last = null; // the answer before this one, with the time it came
let trail = []; // what the small lines show
let timer = 0;
let turn = 0; // of the latest question: only it asks again

// ---------------------------------------------------------------- building blocks

/** element("td", { class: "num" }, "text", child) - text is never read as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** columns: [title, cell(row) -> text or node, class]; the first one names the row. */
function table(caption, columns, rows, empty, narrow = false) {
  if (rows.length === 0) return element("p", { class: "empty" }, empty);
  const head = element("tr", {}, ...columns.map(([title, , kind = ""]) => element("th", { scope: "col", class: kind }, title)));
  const body = rows.map((row) =>
    element("tr", {}, ...columns.map(([title, cell, kind = ""], i) =>
      i === 0 ? element("th", { scope: "row" }, cell(row)) : element("td", { class: kind, "data-label": title }, cell(row)))));
  // Few columns fit a phone as they are; more become a card for each row there.
  return element("table", { class: columns.length > 3 && !narrow ? "cards-of" : "" }, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}

function facts(pairs) {
  return element("dl", {}, ...pairs.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function card(title, value, unit, note, values, kind = "") {
  return element("div", { class: "card" },
    element("h3", {}, title),
    element("div", { class: "value" }, value, element("span", {}, unit)),
    element("div", { class: "note" }, note),
    sparkline(values, kind));
}

function meter(share, label) {
  const kind = share >= 1 ? "f-bad" : share >= 0.8 ? "f-warn" : "f-good";
  return element("span", { class: "meter" }, shares([[kind, share]], label));
}

const put = (id, ...children) => $(id).replaceChildren(...children);
const sum = (object) => Object.values(object).reduce((a, b) => a + b, 0);

// ---------------------------------------------------------------- what is shown

/** Differences between this answer and the one before, per second; null without one. */
function rates(now, before) {
  if (!before || before.startedAt !== now.startedAt) return null;
  const seconds = (now.cameAt - before.cameAt) / 1000;
  const of = (pick) => Math.max(pick(now.totals) - pick(before.totals), 0) / seconds;
  return {
    requests: of((t) => t.requests),
    errors4xx: of((t) => t.errors4xx),
    errors5xx: of((t) => t.errors5xx),
    hits: of((t) => t.cacheHits),
    misses: of((t) => t.cacheMisses),
    refused: of((t) => sum(t.throttled) + t.quotaExceeded),
    received: of((t) => t.receivedBytes),
    sent: of((t) => t.sentBytes),
  };
}

function showCards(now, speed) {
  const errors = speed ? speed.errors4xx + speed.errors5xx : 0;
  const share = speed && speed.requests > 0 ? errors / speed.requests : null;
  const looked = speed ? speed.hits + speed.misses : 0;
  const { total, overhead } = now.latency;
  const history = (pick) => trail.map(pick);
  put("cards",
    card("Requests", speed ? rate(speed.requests) : "\u2013", "/s", `${count(now.totals.inFlight)} in flight`, history((t) => t.requests)),
    card("Errors", share === null ? "\u2013" : percent(share), "", speed ? `${rate(speed.errors4xx)} 4xx/s, ${rate(speed.errors5xx)} 5xx/s` : "", history((t) => t.errors), "bad"),
    card("Latency p99", total ? millis(total.p99) : "\u2013", total ? "ms" : "", total ? `median ${millis(total.p50)} ms` : "no requests lately", history((t) => t.p99)),
    card("Overhead p99", overhead ? millis(overhead.p99) : "\u2013", overhead ? "ms" : "", overhead ? `median ${millis(overhead.p50)} ms` : "no requests lately", history((t) => t.overhead)),
    card("Cache hits", looked > 0 ? percent(speed.hits / looked) : "\u2013", "", looked > 0 ? `${rate(speed.hits)} of ${rate(looked)} /s` : "nothing looked up", history((t) => t.hits)),
    card("Refused", speed ? rate(speed.refused) : "\u2013", "/s", "by throttles and quotas", history((t) => t.refused), "bad"));
}

/** One entry for each of the last sixty minutes, null where nobody asked. */
function lastHour(now) {
  const known = new Map(now.minutes.map((minute) => [Date.parse(minute.at), minute]));
  const end = Math.floor(Date.parse(now.now) / 60000) * 60000;
  return Array.from({ length: 60 }, (_, i) => known.get(end - (59 - i) * 60000) ?? null);
}

function showCharts(now) {
  const hour = lastHour(now);
  const asked = hour.reduce((n, m) => n + (m ? m.requests : 0), 0);
  const failed = hour.reduce((n, m) => n + (m ? m.errors4xx + m.errors5xx : 0), 0);
  const axis = (id) => ({ width: Math.max($(id).clientWidth, 240), from: "an hour ago", to: "now" });
  put("requests-chart", bars(
    hour.map((m) => (m ? [Math.max(m.requests - m.errors4xx - m.errors5xx, 0), m.errors4xx, m.errors5xx] : [0, 0, 0])),
    ["f-good", "f-warn", "f-bad"],
    { ...axis("requests-chart"), format: count, label: `${count(asked)} requests in the last hour, ${count(failed)} of them errors` }));
  const worst = Math.max(0, ...hour.map((m) => m?.total?.p99 ?? 0));
  put("latency-chart", lines(
    hour.map((m) => ["total", "integration", "overhead"].map((part) => m?.[part]?.p99 ?? null)),
    ["c-total", "c-integration", "c-overhead"],
    { ...axis("latency-chart"), format: (v) => `${millis(v)} ms`, label: `99th percentile of latency in the last hour, at most ${millis(worst)} milliseconds` }));
}

function showLatency(now) {
  const parts = [["Total", now.latency.total], ["Integration", now.latency.integration], ["Overhead", now.latency.overhead]];
  if (!now.latency.total) return put("latency", element("p", { class: "empty" }, now.historyKept ? "No requests in the last minute." : "No history is kept (server.metrics.historyBytes is 0)."));
  const whole = now.latency.total.sum || 1;
  const [integration, overhead] = [now.latency.integration, now.latency.overhead].map((spread) => (spread?.sum ?? 0) / whole);
  const words = `Of all the time, ${percent(integration)} was spent on backends and ${percent(overhead)} in the gateway.`;
  const cell = (pick) => ([, spread]) => (spread ? millis(pick(spread)) : "\u2013");
  put("latency",
    element("div", { class: "split" }, shares([["f-integration", integration], ["f-overhead", overhead]], words)),
    element("p", { class: "quiet said" }, words),
    table("Latency in milliseconds", [
      ["Milliseconds", ([name]) => name],
      ["mean", cell((s) => s.sum / s.count), "num"], ["p50", cell((s) => s.p50), "num"], ["p90", cell((s) => s.p90), "num"],
      ["p99", cell((s) => s.p99), "num"], ["max", cell((s) => s.max), "num"],
    ], parts, "", true));
}

function showThrottles(now) {
  const rows = Object.entries(LEVELS).map(([level, name]) => [name, now.totals.throttled[level] ?? 0]);
  rows.push(["Quota", now.totals.quotaExceeded]);
  put("throttles", table("Requests refused by each limit", [
    ["Limit", ([name]) => name],
    ["Refused", ([, n]) => count(n), "num"],
  ], rows, ""));
}

function showStages(now, before) {
  const key = (stage) => `${stage.apiId}/${stage.stage}`;
  const old = new Map((before && before.startedAt === now.startedAt ? before.stages : []).map((s) => [key(s), s]));
  const seconds = before ? (now.cameAt - before.cameAt) / 1000 : 0;
  const perSecond = (stage) => (old.has(key(stage)) && seconds > 0 ? rate(Math.max(stage.requests - old.get(key(stage)).requests, 0) / seconds) : "\u2013");
  const share = (part, whole) => (whole > 0 ? percent(part / whole) : "\u2013");
  put("stages", table("Stages since the start", [
    ["API and stage", (s) => `${s.api} / ${s.stage}`],
    ["Requests/s", perSecond, "num"],
    ["Requests", (s) => count(s.requests), "num"],
    ["4xx", (s) => share(s.errors4xx, s.requests), "num"],
    ["5xx", (s) => share(s.errors5xx, s.requests), "num"],
    ["p50 ms", (s) => (s.latency.total ? millis(s.latency.total.p50) : "\u2013"), "num"],
    ["p99 ms", (s) => (s.latency.total ? millis(s.latency.total.p99) : "\u2013"), "num"],
    ["Cache hits", (s) => (s.cacheEnabled ? share(s.cacheHits, s.cacheHits + s.cacheMisses) : "off"), "num"],
    ["Refused", (s) => count(sum(s.throttled) + s.quotaExceeded), "num"],
  ], now.stages, "No stages are configured."));
}

function showPlans(now) {
  const keys = (plan) => plan.keys.filter((k) => k.used > 0).map((k) => (plan.limit === null ? `${k.key}: ${count(k.used)}` : `${k.key}: ${count(k.used)}, ${count(k.remaining)} left`)).join("; ");
  put("plans", table("Usage plans", [
    ["Plan", (p) => p.name],
    ["Used", (p) => `${count(p.used)} ${p.period === "day" ? "today" : `this ${p.period}`}`, "num"],
    ["Callers", (p) => many(p.activeKeys, p.meterBy === "sourceIp" ? "address" : "key"), "num"],
    ["Quota each", (p) => (p.limit === null ? "none" : count(p.limit)), "num"],
    ["Least left", (p) => (p.limit === null ? "\u2013" : count(p.remaining)), "num"],
    ["Most used", (p) => (p.limit === null ? "\u2013" : element("span", {}, meter(p.usedRatio, `${percent(p.usedRatio)} of the quota used`), ` ${percent(p.usedRatio)}`)), "num"],
    ["Top keys", (p) => keys(p) || "\u2013", "wide"],
  ], now.plans, "No usage plans are configured."));
}

function showBackends(now) {
  const errors = (b) => Object.entries(b.errors).map(([reason, n]) => `${reason.replaceAll("_", " ")} ${count(n)}`).join(", ");
  put("backends", table("Connections to backends and what failed", [
    ["Backend", (b) => b.name],
    ["Active", (b) => count(b.active), "num"],
    ["Idle", (b) => count(b.idle), "num"],
    ["Errors", (b) => errors(b) || "none", "wide"],
  ], now.backends, "No backend is in use."));
}

function showReloads(now) {
  put("reloads", table("Reloads, latest first", [
    ["When", (r) => clock(r.at)],
    ["Result", (r) => element("span", { class: r.ok ? "good" : "bad" }, r.ok ? "accepted" : "refused")],
    ["Took", (r) => `${millis(r.seconds * 1000)} ms`, "num"],
    ["Problem", (r) => r.problem || "\u2013", "wide"],
  ], now.reloads, `None since the start (${clock(now.startedAt)}).`));
}

function showProgram(now, speed) {
  const saved = now.store.saveFailures === 0 ? "no failures" : `${count(now.store.saveFailures)} failures, ${count(now.store.waitingRows)} waiting`;
  put("program", facts([
    ["Usage store", now.store.lagSeconds > 0 ? element("span", { class: "bad" }, `failing for ${duration(now.store.lagSeconds)}`) : saved],
    ["Connections", count(now.totals.connections)],
    ["Received", speed ? `${bytes(speed.received)}/s` : bytes(now.totals.receivedBytes)],
    ["Sent", speed ? `${bytes(speed.sent)}/s` : bytes(now.totals.sentBytes)],
    ["Matched no stage", count(now.totals.unrouted)],
    ["Malformed or too large", count(now.totals.refused)],
    ["Workers", count(now.workers)],
  ]));
}

function show(now) {
  const speed = rates(now, last);
  if (last && last.startedAt !== now.startedAt) trail = [];
  if (speed) {
    trail.push({
      requests: speed.requests, errors: speed.errors4xx + speed.errors5xx, hits: speed.hits, refused: speed.refused,
      p99: now.latency.total?.p99 ?? 0, overhead: now.latency.overhead?.p99 ?? 0,
    });
    trail = trail.slice(-KEPT);
  }
  const up = (Date.parse(now.now) - Date.parse(now.startedAt)) / 1000;
  $("about").textContent = `${now.version}, up ${duration(up)}`;
  $("content").hidden = false;
  $("content").classList.remove("stale");
  showCards(now, speed);
  showCharts(now);
  showLatency(now);
  showThrottles(now);
  showStages(now, last);
  showPlans(now);
  showBackends(now);
  showReloads(now);
  showProgram(now, speed);
  last = now;
}

// ---------------------------------------------------------------- asking

function setState(state, words) {
  const place = $("state");
  place.dataset.state = state;
  // Said aloud when it changes, not every two seconds.
  if (place.textContent !== words) place.textContent = words;
}

function askForToken(words) {
  sessionStorage.removeItem(TOKEN);
  setState("waiting", "Token needed");
  $("refused").textContent = words;
  $("content").hidden = true;
  $("gone").hidden = true;
  $("leave").hidden = true;
  if ($("login").hidden) {
    $("login").hidden = false;
    $("token").focus();
  }
}

function lose(why) {
  setState("gone", "Not connected");
  $("content").classList.add("stale");
  $("gone").textContent = last
    ? `The gateway does not answer (${why}). These are the numbers of ${clock(last.now)}; trying again.`
    : `The gateway does not answer (${why}); trying again.`;
  $("gone").hidden = false;
}

async function ask() {
  clearTimeout(timer);
  const mine = ++turn;
  const token = sessionStorage.getItem(TOKEN);
  const giveUp = new AbortController();
  const patience = setTimeout(() => giveUp.abort(), PATIENCE);
  let again = true;
  try {
    const answer = await fetch("status", {
      headers: token ? { Authorization: `Bearer ${token}` } : {},
      cache: "no-store",
      signal: giveUp.signal,
    });
    if (answer.status === 401) {
      again = false;
      askForToken(token ? "This token is not the right one." : "");
    } else if (!answer.ok) {
      lose(`status ${answer.status}`);
    } else {
      const now = await answer.json();
      now.cameAt = performance.now();
      $("login").hidden = true;
      $("gone").hidden = true;
      $("leave").hidden = !token;
      show(now);
      setState("live", "Live");
    }
  } catch (error) {
    lose(error.name === "AbortError" ? "no answer in time" : "no connection");
  } finally {
    clearTimeout(patience);
  }
  if (again && mine === turn) timer = setTimeout(ask, document.hidden ? 5 * EVERY : EVERY);
}

// ---------------------------------------------------------------- controls

const THEMES = { auto: ["Auto", "as the system"], light: ["Light", "light"], dark: ["Dark", "dark"] };

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const [words, spoken] = THEMES[theme];
  $("theme").textContent = words;
  $("theme").setAttribute("aria-label", `Colours: ${spoken}`);
}

let theme = localStorage.getItem(THEME);
if (!(theme in THEMES)) theme = "auto";
setTheme(theme);
$("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  theme = names[(names.indexOf(theme) + 1) % names.length];
  localStorage.setItem(THEME, theme);
  setTheme(theme);
});
$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, $("token").value.trim());
  $("token").value = "";
  ask();
});
$("leave").addEventListener("click", () => {
  clearTimeout(timer);
  turn += 1;
  last = null;
  trail = [];
  askForToken("");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && $("login").hidden) ask();
});
addEventListener("resize", () => {
  if (last && !$("content").hidden) showCharts(last);
});
ask();
