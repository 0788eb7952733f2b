// Patterns of RE2, which take linear time, compiled once.
import { RE2JS } from "re2js";

const patterns = new Map<string, RE2JS>();
const mostPatterns = 200;

/** The compiled pattern. Throws when it is malformed. */
export function patternOf(text: string): RE2JS {
  const known = patterns.get(text);
  if (known) return known;
  const pattern = RE2JS.compile(text);
  if (patterns.size >= mostPatterns) patterns.clear();
  patterns.set(text, pattern);
  return pattern;
}
