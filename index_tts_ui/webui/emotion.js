// The emotion of what Speak sends; the browser keeps it.
const EMOTION = "tts.emotion";

class EmotionPanel extends EmotionForm {
  constructor(root) {
    super(root);
    this.changed = () => tts.keep(EMOTION, { ...this.value, sound: this.clip.value });
    this.restore(tts.kept(EMOTION));
    tts.addEventListener("apply", ({ detail }) => { this.restore(detail.emotion); this.save(); });
    tts.tuning.parts.emotion = () => ({ emotion: this.value });
  }
}
