import { releaseTestStack } from './test-stack';

module.exports = releaseTestStack;
