const { default: Sequencer } = require('@jest/test-sequencer');

/** What needs nothing but the processor comes first: beside it, real servers and killed processes would have to wait for their turn. */
module.exports = class extends Sequencer {
  sort(tests) {
    const isUnit = ({ context }) => context.config.displayName?.name === 'unit';
    const sorted = super.sort(tests);
    return [...sorted.filter(isUnit), ...sorted.filter((test) => !isUnit(test))];
  }
};
