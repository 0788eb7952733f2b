// Why a text is no JSON, in the words of the original's reader: clients print these sentences. Pure.

/** Thrown at the first character that does not fit. */
class Misfit extends Error {}

const shown = (character: string): string => {
  if (character === "'") return "'\\''";
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
};

interface Scan {
  readonly text: string;
  at: number;
}
const here = ({ text, at }: Scan): string => text.charAt(at);

function misfit(scan: Scan, context: string): Misfit {
  const character = String.fromCodePoint(scan.text.codePointAt(scan.at) ?? 0);
  return scan.at >= scan.text.length
    ? new Misfit("unexpected end of JSON input")
    : new Misfit(`invalid character ${shown(character)} ${context}`);
}

function space(scan: Scan): void {
  while (" \t\r\n".includes(here(scan)) && scan.at < scan.text.length) scan.at++;
}

function string(scan: Scan): void {
  for (scan.at++; here(scan) !== '"'; scan.at++) {
    if (scan.at >= scan.text.length || here(scan) < " ") throw misfit(scan, "in string literal");
    if (here(scan) !== "\\") continue;
    scan.at++;
    if (!'"\\/bfnrtu'.includes(here(scan)) || here(scan) === "") throw misfit(scan, "in string escape code");
    if (here(scan) !== "u") continue;
    for (let i = 0; i < 4; i++) {
      scan.at++;
      if (!/[0-9a-fA-F]/.test(here(scan))) throw misfit(scan, "in \\u hexadecimal character escape");
    }
  }
  scan.at++;
}

const isDigit = (character: string): boolean => character >= "0" && character <= "9" && character.length === 1;
function digits(scan: Scan, context: string): void {
  if (!isDigit(here(scan))) throw misfit(scan, context);
  while (isDigit(here(scan))) scan.at++;
}

function number(scan: Scan): void {
  if (here(scan) === "-") scan.at++;
  if (here(scan) === "0") scan.at++;
  else digits(scan, "in numeric literal");
  if (here(scan) === ".") {
    scan.at++;
    digits(scan, "after decimal point in numeric literal");
  }
  if (here(scan) === "e" || here(scan) === "E") {
    scan.at++;
    if (here(scan) === "+" || here(scan) === "-") scan.at++;
    digits(scan, "in exponent of numeric literal");
  }
}

function word(scan: Scan, expected: string): void {
  for (const letter of expected) {
    if (here(scan) !== letter) throw misfit(scan, `in literal ${expected} (expecting ${shown(letter)})`);
    scan.at++;
  }
}

function object(scan: Scan): void {
  scan.at++;
  space(scan);
  for (let first = true; !(first && here(scan) === "}"); first = false) {
    if (here(scan) !== '"') throw misfit(scan, "looking for beginning of object key string");
    string(scan);
    space(scan);
    if (here(scan) !== ":") throw misfit(scan, "after object key");
    scan.at++;
    value(scan);
    if (here(scan) === "}") break;
    if (here(scan) !== ",") throw misfit(scan, "after object key:value pair");
    scan.at++;
    space(scan);
  }
  scan.at++;
}

function array(scan: Scan): void {
  scan.at++;
  space(scan);
  for (let first = true; !(first && here(scan) === "]"); first = false) {
    value(scan);
    if (here(scan) === "]") break;
    if (here(scan) !== ",") throw misfit(scan, "after array element");
    scan.at++;
  }
  scan.at++;
}

function value(scan: Scan): void {
  space(scan);
  const begin = here(scan);
  if (begin === "{") object(scan);
  else if (begin === "[") array(scan);
  else if (begin === '"') string(scan);
  else if (begin === "-" || isDigit(begin)) number(scan);
  else if (begin === "t") word(scan, "true");
  else if (begin === "f") word(scan, "false");
  else if (begin === "n") word(scan, "null");
  else throw misfit(scan, "looking for beginning of value");
  space(scan);
}

/** The sentence that says why a text is no JSON. */
export function syntaxError(text: string): string {
  const scan: Scan = { text, at: 0 };
  try {
    value(scan);
    return misfit(scan, "after top-level value").message;
  } catch (e) {
    if (e instanceof Misfit) return e.message;
    throw e;
  }
}
