// Certificates and requests for them, as text: what sort of thing a block of base64 between two lines says it is.

/** The kinds of the blocks in a text, in order; what stands around them does not count. */
export function pemBlocks(text: string): readonly { readonly type: string; readonly hasHeaders: boolean }[] {
  const block = /-----BEGIN ([^\n-]*)-----\s*\n([\s\S]*?)-----END \1-----/g;
  return [...text.matchAll(block)].map(([, type = "", body = ""]) => ({ type, hasHeaders: body.includes(":") }));
}

/** Undefined when the text is not base64. */
export function fromBase64(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    // What cannot be decoded is told as wrong by whoever asked.
    return undefined;
  }
}
