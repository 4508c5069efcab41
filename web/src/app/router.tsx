import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { ErrorBoundary } from './ErrorBoundary'
import { NotFound } from './routes/NotFound'
import { SignedOut } from './routes/SignedOut'
import { Splash } from './Splash'

const SignedIn = lazy(() => import('./routes/SignedIn').then((module) => ({ default: module.SignedIn })))
const FilesRoute = lazy(() => import('./routes/FilesRoute').then((module) => ({ default: module.FilesRoute })))
const TrashRoute = lazy(() => import('./routes/TrashRoute').then((module) => ({ default: module.TrashRoute })))

// The pages. Those behind the sign-in are loaded when they are first needed.
export function Pages() {
  return (
    <ErrorBoundary>
      <Suspense fallback={<Splash />}>
        <Routes>
          <Route path="/sign-in" element={<SignedOut mode="login" />} />
          <Route path="/register" element={<SignedOut mode="register" />} />
          <Route element={<SignedIn />}>
            <Route path="/" element={<Navigate to="/files" replace />} />
            <Route path="/files" element={<FilesRoute />} />
            <Route path="/files/:folderId" element={<FilesRoute />} />
            <Route path="/trash" element={<TrashRoute />} />
          </Route>
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </ErrorBoundary>
  )
}
