/** How the desk closes the workers' gates: at once, and if the word is lost, the gates read the desk every few seconds anyway. */
import { proxySinks, type Sinks } from '@temporalio/workflow';
import type { Closing } from '../emergency/closing';

export interface GateSinks extends Sinks {
  gates: { close(closing: Closing): void };
}

export const gateSinks = proxySinks<GateSinks>();
