import { createBrowserRouter, Navigate, type RouteObject } from 'react-router'
import { Crashed } from './routes/Crashed'
import { FilesRoute } from './routes/FilesRoute'
import { NotFound } from './routes/NotFound'
import { SignedIn } from './routes/SignedIn'
import { SignedOut } from './routes/SignedOut'
import { TrashRoute } from './routes/TrashRoute'

export const routes: RouteObject[] = [
  {
    errorElement: <Crashed />,
    children: [
      { path: '/sign-in', element: <SignedOut mode="login" /> },
      { path: '/register', element: <SignedOut mode="register" /> },
      {
        element: <SignedIn />,
        children: [
          { path: '/', element: <Navigate to="/files" replace /> },
          { path: '/files', element: <FilesRoute /> },
          { path: '/files/:folderId', element: <FilesRoute /> },
          { path: '/trash', element: <TrashRoute /> },
        ],
      },
      { path: '*', element: <NotFound /> },
    ],
  },
]

export const createRouter = () => createBrowserRouter(routes)
