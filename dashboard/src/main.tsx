import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './style.css';

const root = document.getElementById('root');
if (root === null) throw new Error('the document has no element for the page');
// A token that is put into the address of an open page is taken like that of a new one.
window.addEventListener('hashchange', () => {
  if (location.hash.length > 20) location.reload();
});
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
