// What of the controls below the voice the engine has.
const { tts } = window;
const part = (name) => element.querySelector(name);
if (part(".emotion")) new EmotionPanel(part(".emotion"));
new ParameterPanel(element);
