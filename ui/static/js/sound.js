// Four cues, off until a person turns them on: the click that does so also allows playback.

import { recall, remember } from "./prefs.js";

const CUES = {
  fill: [660, 880],
  rollback: [520, 390],
  unhedged: [880, 440, 880, 440],
  disconnect: [300, 220],
};
const NOTE_SECONDS = 0.11;
let context = null;

export const soundOn = () => recall("sound", "off") === "on";

export function setSound(on) {
  remember("sound", on ? "on" : "off");
  if (on) play("fill");
}

/** Play a cue by name; silent while sound is off. */
export function play(name) {
  if (!soundOn()) return;
  context ??= new AudioContext();
  CUES[name].forEach((frequency, index) => note(frequency, index * NOTE_SECONDS));
}

function note(frequency, delay) {
  const at = context.currentTime + delay;
  const oscillator = new OscillatorNode(context, { frequency, type: "sine" });
  const gain = new GainNode(context, { gain: 0.08 });
  gain.gain.setTargetAtTime(0, at + NOTE_SECONDS * 0.6, 0.02);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + NOTE_SECONDS);
}
