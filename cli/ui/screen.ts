// Draws the interactive view with Ink, and passes keys on.
import { Box, render, Text, useApp, useInput, usePaste, useWindowSize } from "ink";
import { createElement, useEffect, useSyncExternalStore } from "react";
import { keysOf } from "./input.ts";
import type { Program } from "./program.ts";
import { painted } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import { view } from "./view.ts";

/** At most so many frames a second are written, also while a key is held. */
const maxFps = 20;

interface Properties {
  readonly program: Program;
  readonly hasColors: boolean;
}

function Screen({ program, hasColors }: Properties) {
  const state = useSyncExternalStore(
    (listener) => program.subscribe(listener),
    () => program.state(),
  );
  const { suspendTerminal } = useApp();
  const { columns, rows } = useWindowSize();
  useEffect(() => program.suspendWith(suspendTerminal), [program, suspendTerminal]);
  useEffect(() => program.dispatch({ type: "resize", size: { columns, rows } }), [program, columns, rows]);
  useInput((input, key) => {
    for (const name of keysOf(input, key)) program.dispatch({ type: "key", key: name });
  });
  usePaste((text) => program.dispatch({ type: "paste", text }));
  const lines = view(state).map((line) => painted(line, hasColors));
  // The lines of the screen have no identity but their position.
  return createElement(
    Box,
    { flexDirection: "column" },
    ...lines.map((line, i) => createElement(Text, { key: i, wrap: "truncate" }, line)),
  );
}

/** Shows a program on its own screen of the terminal until it ends, and restores what was there. */
export async function show(program: Program, terminal: Terminal, hasColors: boolean): Promise<void> {
  const screen = render(createElement(Screen, { program, hasColors }), {
    ...terminal,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps,
  });
  try {
    await Promise.race([program.run(), screen.waitUntilExit()]);
  } finally {
    program.stop();
    screen.unmount();
    await screen.waitUntilExit();
  }
}
