// A terminal for tests: streams that a program takes for one, and the screen that its output makes.
import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { realWorld } from "../../machinery/real-world.ts";

const { clock } = realWorld(() => {});

/** The characters on a screen, as a terminal that knows the sequences below shows them. Source: ECMA-48. */
class Screen {
  #rows: string[][] = [];
  #row = 0;
  #column = 0;
  columns: number;
  rows: number;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  text(): string {
    return this.#rows.map((row) => row.join("").trimEnd()).join("\n");
  }

  write(output: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences, then single characters.
    for (const [token, parameters, final] of output.matchAll(/\x1b\[([?>\d;]*)([A-Za-z])|[\s\S]/gu)) {
      if (final !== undefined) this.#control(parameters!, final);
      else if (token === "\r") this.#column = 0;
      else if (token === "\n") this.#newLine();
      else this.#print(token);
    }
  }

  #line(): string[] {
    for (let i = this.#rows.length; i <= this.#row; i++) this.#rows.push([]);
    return this.#rows[this.#row]!;
  }

  #newLine(): void {
    this.#column = 0;
    this.#row++;
    if (this.#row < this.rows) return;
    this.#rows.shift();
    this.#row = this.rows - 1;
  }

  #print(character: string): void {
    // The cursor waits behind the last column until there is another character.
    if (this.#column >= this.columns) this.#newLine();
    const line = this.#line();
    while (line.length < this.#column) line.push(" ");
    line[this.#column++] = character;
  }

  #control(parameters: string, final: string): void {
    const by = Number(parameters || 1);
    const to = (row: number, column: number): void => {
      this.#row = Math.max(0, Math.min(row, this.rows - 1));
      this.#column = Math.max(0, Math.min(column, this.columns - 1));
    };
    if (final === "A") to(this.#row - by, this.#column);
    else if (final === "B") to(this.#row + by, this.#column);
    else if (final === "C") to(this.#row, this.#column + by);
    else if (final === "D") to(this.#row, this.#column - by);
    else if (final === "E") to(this.#row + by, 0);
    else if (final === "G") to(this.#row, by - 1);
    else if (final === "H") to(Number(parameters.split(";")[0] || 1) - 1, Number(parameters.split(";")[1] || 1) - 1);
    else if (final === "K") this.#line().splice(parameters === "2" ? 0 : this.#column);
    else if (final === "J") {
      this.#line().splice(this.#column);
      this.#rows.splice(this.#row + 1);
    } else if (parameters === "?1049" && final === "h") {
      this.#rows = [];
      to(0, 0);
    }
  }
}

/** A terminal of this size. */
export class TestTerminal {
  readonly #screen: Screen;
  readonly #stdin: PassThrough;
  readonly #stdout: PassThrough;
  readonly streams: { readonly stdin: ReadStream; readonly stdout: WriteStream; readonly stderr: WriteStream };
  /** All that has been written. */
  written = "";
  isRaw = false;

  constructor(columns: number, rows: number) {
    this.#screen = new Screen(columns, rows);
    this.#stdin = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (isRaw: boolean): void => {
        this.isRaw = isRaw;
      },
      ref: () => {},
      unref: () => {},
    });
    this.#stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
    this.#stdout.on("data", (chunk: Buffer) => {
      this.written += chunk.toString();
      this.#screen.write(chunk.toString());
    });
    const output = this.#stdout as unknown as WriteStream;
    this.streams = { stdin: this.#stdin as unknown as ReadStream, stdout: output, stderr: output };
  }

  text(): string {
    return this.#screen.text();
  }

  type(keys: string): void {
    this.#stdin.write(keys);
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.#screen, { columns, rows });
    Object.assign(this.#stdout, { columns, rows });
    this.#stdout.emit("resize");
  }

  /** Waits until the screen shows this text. Throws with the screen after ten seconds. */
  async shows(expected: string): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if (this.text().includes(expected)) return;
      await clock.sleep(20);
    }
    throw new Error(`${JSON.stringify(expected)} is not on the screen:\n${this.text()}`);
  }
}
