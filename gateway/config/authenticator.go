package config

import "time"

// Authenticator names somebody who is asked about passwords of users whom a tenant does not declare.
type Authenticator struct {
	URL string `yaml:"url"` // where questions are posted to; none asks nobody
}

// Asking says how authenticators of tenants are asked.
type Asking struct {
	Timeout       time.Duration `yaml:"timeout"`       // for an answer
	MaxConcurrent int           `yaml:"maxConcurrent"` // questions to one authenticator at a time
	RememberYes   time.Duration `yaml:"rememberYes"`   // how long who was let in is let in without a question; 0s asks each time
	RememberNo    time.Duration `yaml:"rememberNo"`    // likewise, is refused
	MaxRemembered int           `yaml:"maxRemembered"` // answers of one authenticator
}

func defaultAsking() Asking {
	return Asking{
		Timeout: 5 * time.Second, MaxConcurrent: 16, RememberYes: time.Minute, RememberNo: 10 * time.Second, MaxRemembered: 10_000,
	}
}

func (c *Config) validateAsking(k *check) {
	a := &c.Login.Authenticator
	k.span("login.authenticator.timeout", a.Timeout, 10*time.Millisecond)
	k.within("login.authenticator.maxConcurrent", a.MaxConcurrent, 1, many)
	for path, d := range map[string]time.Duration{"rememberYes": a.RememberYes, "rememberNo": a.RememberNo} {
		k.refuse(d < 0 || d > 24*time.Hour, "login.authenticator."+path, "%v is not from 0s to 24h", d)
	}
	k.within("login.authenticator.maxRemembered", a.MaxRemembered, 1, many)
}

func validateAuthenticator(k *check, path string, t *Tenant) {
	url := t.Authenticator.URL
	k.refuse(url != "" && !isIssuer(url), path+"authenticator.url", "is not a URL such as https://id.example/mqtt, without a user")
}
