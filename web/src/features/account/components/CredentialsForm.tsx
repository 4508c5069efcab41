import { Eye, EyeOff } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { useLocale, useTranslations } from 'use-intl'
import { Problem } from '@/api/problem'
import { session } from '@/api/session'
import { useProblemText } from '@/i18n/problem-text'
import { Button } from '@/ui/Button'
import { IconButton } from '@/ui/IconButton'
import { Notice } from '@/ui/Notice'
import { TextField } from '@/ui/TextField'
import { deviceName, findEmailFault, findPasswordFault } from '../credentials'

interface Faults {
  email?: string
  password?: string
  form?: string
}

// Signs in or registers; the caller notices through the session.
export function CredentialsForm({ mode }: { mode: 'login' | 'register' }) {
  const t = useTranslations('account')
  const locale = useLocale()
  const problemText = useProblemText()
  const [faults, setFaults] = useState<Faults>({})
  const [busy, setBusy] = useState(false)
  const [visible, setVisible] = useState(false)
  const emailField = useRef<HTMLInputElement>(null)
  const passwordField = useRef<HTMLInputElement>(null)

  function show(found: Faults) {
    setFaults(found)
    if (found.email !== undefined) emailField.current?.focus()
    else if (found.password !== undefined) passwordField.current?.focus()
  }

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    const email = emailField.current?.value.trim() ?? ''
    const password = passwordField.current?.value ?? ''
    const emailFault = findEmailFault(email)
    const passwordFault = findPasswordFault(password, mode === 'register')
    show({ ...(emailFault && { email: t(emailFault) }), ...(passwordFault && { password: t(passwordFault) }) })
    if (emailFault || passwordFault) return
    setBusy(true)
    try {
      await session.signIn(mode, { email, password, device_name: deviceName(navigator.userAgent), ...(mode === 'register' && { locale }) })
    } catch (error) {
      show(placed(Problem.from(error)))
    } finally {
      setBusy(false)
    }
  }

  function placed(problem: Problem): Faults {
    const text = problemText(problem)
    if (problem.code === 'email_taken' || problem.field === 'email') return { email: problem.code === 'email_taken' ? text : t('email_invalid') }
    if (problem.code === 'password_weak') return { password: text }
    return { form: text }
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      {faults.form !== undefined && <Notice tone="error">{faults.form}</Notice>}
      <TextField ref={emailField} label={t('email')} error={faults.email} type="email" name="email" autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus />
      <TextField
        ref={passwordField}
        label={t('password')}
        hint={mode === 'register' ? t('password_hint') : undefined}
        error={faults.password}
        type={visible ? 'text' : 'password'}
        name="password"
        maxLength={256}
        autoComplete={mode === 'register' ? 'new-password' : 'current-password'}
        trailing={
          <IconButton label={visible ? t('hide_password') : t('show_password')} onClick={() => setVisible(!visible)}>
            {visible ? <EyeOff aria-hidden="true" size={18} /> : <Eye aria-hidden="true" size={18} />}
          </IconButton>
        }
      />
      <Button type="submit" look="primary" busy={busy} className="mt-2 h-11">
        {mode === 'register' ? t('register') : t('sign_in')}
      </Button>
    </form>
  )
}
