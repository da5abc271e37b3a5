// How times, durations and figures are written.

export function seconds(value) {
  if (value >= 0 && value < 0.95) return `${Math.round(1000 * value)} ms`;
  if (value < 9.95) return `${Math.max(value, 0).toFixed(1)} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

export const between = (from, to) => (new Date(to) - new Date(from)) / 1000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export function when(text) {
  const moment = new Date(text);
  const today = new Date().toDateString() === moment.toDateString();
  return today ? clock.format(moment) : `${day.format(moment)}, ${clock.format(moment)}`;
}

export function figure(metric, value) {
  if (value === null || value === undefined) return "";
  if (/accuracy|f1/.test(metric ?? "")) return `${(100 * value).toFixed(2)} %`;
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
}

export const metricName = (metric) => (metric ?? "").replaceAll("_", " ");

const OUTCOMES = {
  DEPLOYED: "good", SUCCEEDED: "good", REJECTED: "caught", SKIPPED: "idle", RUNNING: "busy",
  AWAITING_APPROVAL: "caught",
  FAILED: "bad", ROLLED_BACK: "bad", TIMED_OUT: "bad", ABORTED: "stopped", CAUGHT: "caught",
};
export const tone = (outcome) => OUTCOMES[outcome] ?? "idle";
export const said = (outcome) => (outcome ?? "").toLowerCase().replaceAll("_", " ");
