// The names of keys, from what Ink reports. Pure.
import type { Key } from "ink";

const named: readonly (readonly [keyof Key, string])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "pageup"],
  ["pageDown", "pagedown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "esc"],
  ["tab", "tab"],
  ["backspace", "backspace"],
  ["delete", "backspace"],
];

/** The key of a character, where several were typed at once. */
function keyOf(character: string): string {
  if (character === "\r" || character === "\n") return "enter";
  if (character === "\t") return "tab";
  if (character === " ") return "space";
  return character < " " ? `ctrl-${String.fromCharCode(character.charCodeAt(0) + 96)}` : character;
}

/** The keys of an input, which may be several when they were typed quickly; empty for keys that mean nothing. */
export function keysOf(input: string, key: Key): readonly string[] {
  const special = named.find(([flag]) => key[flag]);
  if (special) return [special[1]];
  if (key.ctrl) return [...input].length === 1 ? [`ctrl-${input}`] : [];
  return key.meta ? [] : [...input].map(keyOf);
}
