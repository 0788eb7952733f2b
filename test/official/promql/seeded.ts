// Numbers from a seed, by a linear congruential generator.

/** Uniform in [0, 1). */
export function prand(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
