// Writes long lists of API names as text, several to a line.

/** The words of a text, split at white space. */
export const words = (text: string): readonly string[] => text.trim().split(/\s+/);
