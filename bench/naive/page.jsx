/**
 * What the dashboard's graph is compared with: React Flow with its state kept in React, and one `setNodes` for every event, as its guide
 * for updating nodes has it. It shows the same graph from the same gateway, and nothing beside it: no tree, no timeline, no list. It is no
 * part of the product.
 */
import { ReactFlow, useNodesState } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { io } from 'socket.io-client';
import { edgesOf } from '../../dashboard/src/graph/edges';
import { BOX, layOut } from '../../dashboard/src/graph/layout';

const token = location.hash.slice(1);
const id = new URLSearchParams(location.search).get('execution');
const COLOURS = { node_started: '#cfe3ff', node_completed: '#cdeccd', node_failed: '#f6c6c6' };

const headers = { authorization: `Bearer ${token}` };
const response = await fetch(`/api/executions/${encodeURIComponent(id)}`, { headers });
const { graph } = await response.json();
const edges = edgesOf(graph).map(({ from, to }) => ({ id: `${from} ${to}`, source: from, target: to }));
const placed = layOut({ nodes: Object.keys(graph.nodes), edges: edgesOf(graph), direction: 'right' });
const initialNodes = placed.map(({ id: node, x, y }) => ({
  id: node,
  position: { x, y },
  data: { label: node },
  style: { width: BOX.width, height: BOX.height },
}));

function withEvent(node, event) {
  if (node.id !== event.node_id) return node;
  const label = `${node.id} · ${event.type}`;
  return { ...node, data: { label }, style: { ...node.style, background: COLOURS[event.type] } };
}

function Page() {
  const [nodes, setNodes, onNodesChange] = useNodesState(initialNodes);
  useEffect(() => {
    const socket = io({ auth: { token }, transports: ['websocket'] });
    socket.on('connect', () => {
      socket.emit('subscribe_execution', { execution_id: id }, () => {
        document.body.dataset.live = 'true';
      });
    });
    socket.on('workflow_event', (event) => {
      setNodes((known) => known.map((node) => withEvent(node, event)));
    });
    return () => socket.close();
  }, [setNodes]);
  return createElement(ReactFlow, { nodes, edges, onNodesChange, fitView: true, minZoom: 0.1 });
}

createRoot(document.getElementById('root')).render(createElement(Page));
