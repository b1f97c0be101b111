// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.

const whole = new Intl.NumberFormat("en");

/** 1,234; 56.7k beyond a hundred thousand; 1.23M. */
export function count(n) {
  if (n >= 1e9) return `${(n / 1e9).toFixed(2)}G`;
  if (n >= 1e6) return `${(n / 1e6).toFixed(2)}M`;
  if (n >= 1e5) return `${(n / 1e3).toFixed(1)}k`;
  return whole.format(Math.round(n * 10) / 10);
}

/** 1 key, 2 keys, 3 addresses. */
export function many(n, word) {
  if (n === 1) return `1 ${word}`;
  return `${count(n)} ${word}${word.endsWith("s") ? "es" : "s"}`;
}

export function rate(n) {
  if (n === 0) return "0";
  return n < 10 ? n.toFixed(1) : count(Math.round(n));
}

export function millis(n) {
  if (n >= 1000) return count(Math.round(n));
  if (n >= 100) return n.toFixed(0);
  if (n >= 10) return n.toFixed(1);
  return n === 0 ? "0" : n.toFixed(2);
}

export function percent(share) {
  const n = share * 100;
  if (n === 0 || n === 100) return `${n}%`;
  return n < 1 ? `${n.toFixed(2)}%` : `${n.toFixed(1)}%`;
}

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; n >= 1024 && unit + 1 < units.length; n /= 1024) unit += 1;
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** The reader's time of day. */
export function clock(iso) {
  return new Date(iso).toLocaleTimeString("en-GB");
}
