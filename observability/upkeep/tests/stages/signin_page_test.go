package stages

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	longName    = "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM" // the longest, of the widest letters
	wrongName   = "400 Bad Request\na name must have 1 to 32 characters: letters, digits, spaces and . - _ '"
	signedInAs  = "document.querySelector('form[action=\"/sign-out\"] p').textContent"
	focusOn     = "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
	sidewaysFit = "document.documentElement.scrollWidth <= innerWidth"
)

// useSignIn signs in and out in each way, and leaves the browser signed in.
func useSignIn(t *testing.T, b browser, page *frontend) {
	t.Run("sign-in by keyboard", func(t *testing.T) { signInByKeyboard(b.open(t, page.url)) })
	t.Run("sign-in with a wrong name", func(t *testing.T) { signInWrongly(b.open(t, page.url)) })
	t.Run("sign-in without JavaScript", func(t *testing.T) {
		signInAndOut(b.open(t, page.url, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})))
	})
	t.Run("sign-in on a phone", func(t *testing.T) {
		signInOnPhone(b.open(t, page.url, chromedp.EmulateViewport(phoneWidth, 640, chromedp.EmulateMobile)))
	})
	signed := b.open(t, page.url)
	signed.signIn("Ada")
	signed.expectCookie()
}

func (t tab) signIn(name string) {
	t.Helper()
	t.do(chromedp.SetValue(chromedp.CSS("#name"), name), click)
	t.waitFor("Signed in as "+name, signedInAs)
}

func (t tab) signOut() {
	t.Helper()
	t.do(chromedp.Click(chromedp.CSS("form[action='/sign-out'] button")))
	t.waitFor("Sign in", "document.querySelector('button').textContent")
}

// waitFor waits until an expression has this value, on this page or on the one that loads.
func (t tab) waitFor(want, expression string) {
	t.Helper()
	var got string
	var err error
	for t.ctx.Err() == nil {
		if got, err = chromedp.Run(t.ctx, chromedp.Evaluate[string](expression)); err == nil && got == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s is %q, %v, want %q", expression, got, err, want)
}

// signInByKeyboard signs in without looking for the field, and reaches the sign-out by Tab after all else.
func signInByKeyboard(t tab) {
	t.Helper()
	t.expectResult("Name", focusOn)
	t.expectResult("solid", "getComputedStyle(document.activeElement).outlineStyle")
	t.expectResult(0, "document.querySelectorAll('select, output').length")
	t.do(chromedp.KeyEvent("O'Neill"), chromedp.KeyEvent(kb.Enter))
	t.waitFor("Signed in as O'Neill", signedInAs)
	for _, label := range []string{"Die", "How many", "Run", "Sign out"} {
		t.do(chromedp.KeyEvent(kb.Tab))
		t.expectResult(label, focusOn)
		t.expectResult("solid", "getComputedStyle(document.activeElement).outlineStyle")
	}
	t.do(chromedp.KeyEvent(kb.Enter))
	t.waitFor("Sign in", "document.querySelector('button').textContent")
}

// signInWrongly wants a hostile name to be refused with a reason, and to stay text.
func signInWrongly(t tab) {
	t.Helper()
	const name = "\"><b>Ada</b>"
	t.do(chromedp.SetValue(chromedp.CSS("#name"), name), click)
	t.expect(wrongName)
	t.waitFor(name, "document.querySelector('#name').value")
	t.expectResult(0, "document.querySelectorAll('b, output *').length")
	t.expectResult("Name", focusOn)
	t.expectResult(false, "(document.querySelector('#name').value = '', document.querySelector('form').checkValidity())")
	t.signIn("Ada")
	t.signOut()
}

// signInAndOut presses Run on a page whose session is gone, and signs in again.
func signInAndOut(t tab) {
	t.Helper()
	t.signIn("Ada")
	t.do(command(network.ClearBrowserCookies, cdp.Empty{}), click)
	t.expect("403 Forbidden\nsign in first")
	t.signIn("Grace")
	t.signOut()
}

func signInOnPhone(t tab) {
	t.Helper()
	t.expectResult(true, sidewaysFit)
	t.expectResult(true, "document.querySelector('button').getBoundingClientRect().right <= innerWidth")
	t.signIn(longName)
	t.expectResult(true, sidewaysFit)
	t.expectResult(true, "[...document.querySelectorAll('button')].every(b => b.getBoundingClientRect().right <= innerWidth)")
	t.signOut()
}

// expectCookie wants one cookie, which no script can read and no form of another site brings along.
func (t tab) expectCookie() {
	t.Helper()
	cookies, err := chromedp.Run(t.ctx, func(ctx context.Context, target *chromedp.Target) ([]*network.Cookie, error) {
		result, err := cdp.Call(ctx, target, network.GetCookies, network.GetCookiesParams{})
		return result.Cookies, err
	})
	if err != nil || len(cookies) != 1 {
		t.Fatalf("cookies %v, %v, want one", cookies, err)
	}
	if got := cookies[0]; !got.HTTPOnly || got.SameSite != network.CookieSameSiteLax || got.Path != "/" || got.Secure {
		t.Errorf("cookie %+v", got)
	}
	t.expectResult("", "document.cookie")
}
