/** Asks for a reason, sends a command, and shows what was answered. */
import { byId } from './dom.js';

export interface Command {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  /** Sends it; the answer in a sentence. */
  readonly send: (reason: string) => Promise<string>;
}

export class CommandDialog {
  readonly #dialog = byId('command', HTMLDialogElement);
  readonly #reason = byId('reason', HTMLInputElement);
  readonly #answer = byId('command-answer');
  readonly #confirm = byId('command-confirm', HTMLButtonElement);
  readonly #close = byId('command-close', HTMLButtonElement);
  #command: Command | undefined;

  constructor() {
    this.#close.addEventListener('click', () => {
      this.#dialog.close();
    });
    byId('command-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  open(command: Command): void {
    this.#command = command;
    byId('command-title').textContent = command.title;
    byId('command-text').textContent = command.text;
    this.#confirm.textContent = command.confirm;
    this.#confirm.hidden = false;
    this.#confirm.disabled = false;
    this.#reason.value = '';
    this.#reason.disabled = false;
    this.#answer.textContent = '';
    this.#close.textContent = 'Cancel';
    this.#dialog.showModal();
    this.#reason.focus();
  }

  async #send(): Promise<void> {
    if (this.#command === undefined || this.#confirm.disabled) return;
    this.#confirm.disabled = true;
    this.#answer.textContent = 'Sending…';
    const begun = performance.now();
    try {
      const answer = await this.#command.send(this.#reason.value.trim() || 'from the page, no reason given');
      this.#answer.textContent = `${answer} (answered after ${Math.round(performance.now() - begun)} ms)`;
      this.#confirm.hidden = true;
      this.#reason.disabled = true;
      this.#close.textContent = 'Close';
      this.#close.focus();
    } catch (error) {
      this.#answer.textContent = `Not done: ${error instanceof Error ? error.message : String(error)}`;
      this.#confirm.disabled = false;
    }
  }
}
