// What the model was measured to do, from its card.

/** Shows what the model's card tells. */
export function showCard(card) {}

/** Shows a new answer. */
export function showAnswer(answer, drawing) {}

/** Nothing is drawn. */
export function showBlank() {}
