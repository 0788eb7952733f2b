// Links in an HTML page. Linear in the length of the page, because its content is untrusted. Pure.

const attributes: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};
/** What is inside these is no HTML. */
const opaque = new Set(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"]);

// A name begins where something else ended, so that no word is read twice.
const attribute = /(?<![^\s"'/])([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;
const tagName = /[a-z][^\s/>]*/iy;

/** Where the tag that begins here ends, or -1. A quoted ">" does not end it. */
function endOfTag(html: string, from: number): number {
  let quote = "";
  for (let at = from; at < html.length; at++) {
    const c = html[at]!;
    if (quote !== "") quote = c === quote ? "" : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === ">") return at;
  }
  return -1;
}

function rewrittenTag(tag: string, names: readonly string[], rewrite: (link: string) => string): string {
  return tag.replace(attribute, (whole, name: string, equals: string, value: string) => {
    if (!names.includes(name.toLowerCase())) return whole;
    const bare = /^["']/.test(value) ? value.slice(1, -1) : value;
    const link = rewrite(bare.replaceAll("&amp;", "&"));
    return `${name}${equals}"${link.replaceAll("&", "&amp;").replaceAll('"', "&#34;")}"`;
  });
}

/** The page with every link rewritten, and everything else as it was. */
export function rewriteLinks(html: string, rewrite: (link: string) => string): string {
  const pieces: string[] = [];
  let [done, at] = [0, 0];
  const lower = html.toLowerCase();
  for (;;) {
    at = html.indexOf("<", at);
    if (at < 0) break;
    if (html.startsWith("<!--", at)) {
      const end = html.indexOf("-->", at + 4);
      if (end < 0) break;
      at = end + 3;
      continue;
    }
    tagName.lastIndex = at + 1;
    const name = tagName.exec(html)?.[0].toLowerCase();
    if (name === undefined) {
      at += 1;
      continue;
    }
    const end = endOfTag(html, at + 1 + name.length);
    if (end < 0) break;
    const names = attributes[name];
    if (names !== undefined) {
      pieces.push(html.slice(done, at), rewrittenTag(html.slice(at, end), names, rewrite));
      done = end;
    }
    at = end + 1;
    if (opaque.has(name)) {
      at = lower.indexOf(`</${name}`, at);
      if (at < 0) break;
    }
  }
  return pieces.join("") + html.slice(done);
}
