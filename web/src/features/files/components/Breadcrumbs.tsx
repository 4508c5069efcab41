import { ChevronRight } from 'lucide-react'
import { Fragment } from 'react'
import { Link } from 'react-router'
import { useTranslations } from 'use-intl'
import type { Listing } from '@/api/types'

// The way from the root to the open folder. On a narrow screen only the last steps show.
export function Breadcrumbs({ listing }: { listing: Pick<Listing, 'folder' | 'path'> }) {
  const t = useTranslations()
  const title = listing.folder.filename || t('nav.files')
  return (
    <nav aria-label={t('files.path')} className="min-w-0 grow">
      <ol className="flex min-w-0 items-center text-lg">
        {listing.path.map((step, index) => (
          <Fragment key={step.id}>
            <li className={index < listing.path.length - 1 ? 'hidden shrink-0 md:block' : 'min-w-0 shrink'}>
              <Link to={index === 0 ? '/files' : `/files/${step.id}`} className="block max-w-48 truncate rounded-md px-2 py-1 text-soft hover:bg-hover hover:text-ink">
                {step.filename || t('nav.files')}
              </Link>
            </li>
            <li aria-hidden="true" className={index < listing.path.length - 1 ? 'hidden md:block' : undefined}>
              <ChevronRight size={18} className="shrink-0 text-soft" />
            </li>
          </Fragment>
        ))}
        <li className="min-w-0">
          <h1 aria-current="page" className="truncate px-2 py-1 font-semibold">
            {title}
          </h1>
        </li>
      </ol>
    </nav>
  )
}
