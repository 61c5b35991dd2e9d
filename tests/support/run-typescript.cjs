/** `node run-typescript.cjs FILE …`: runs a TypeScript file as a process of its own, without a build. */
const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const options = {
    filename,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  };
  module._compile(transformSync(readFileSync(filename, 'utf8'), options).code, filename);
};

// A module that is loaded when it is needed is named as it is once built.
const { _resolveFilename: resolveFilename } = Module;
Module._resolveFilename = (request, parent, ...rest) => {
  const source = /^\..*\.js$/.test(request) ? resolve(parent.path, request.replace(/\.js$/, '.ts')) : request;
  return resolveFilename(existsSync(source) ? source : request, parent, ...rest);
};
const [script] = process.argv.splice(2, 1);
require(resolve(script));
