package tenancy

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"

	"github.com/xdg-go/scram"
)

// scramExchange proves a password without sending it (RFC 5802). It hashes no password, so it takes no time. A user who
// does not exist, or whose password is kept in another form, is asked the same questions as the others and fails with
// the last one.
type scramExchange struct {
	directory    *Directory
	visitor      Visitor
	form         Form
	conversation *scram.ServerConversation
	principal    *Principal // who is let in if the proof is right; nil for nobody
}

func newSCRAMExchange(d *Directory, v Visitor, f Form) *scramExchange {
	e := &scramExchange{directory: d, visitor: v, form: f}
	hash, _ := scramHash(f)
	server, err := hash.NewServer(e.lookup)
	if err != nil {
		panic(err) // with a lookup there is nothing that could be wrong
	}
	e.conversation = server.NewConversation()
	return e
}

// Step implements Exchange.
func (e *scramExchange) Step(_ context.Context, response []byte) ([]byte, *Principal, error) {
	if response == nil { // it has to begin (RFC 4422 section 3.3)
		return []byte{}, nil, nil
	}
	challenge, err := e.conversation.Step(string(response))
	switch {
	case err != nil:
		return nil, nil, ErrCredentials
	case !e.conversation.Done():
		return []byte(challenge), nil, nil
	case e.principal == nil || !e.conversation.Valid() || !e.isOwnIdentity():
		return nil, nil, ErrCredentials
	}
	return []byte(challenge), e.principal, nil
}

func (e *scramExchange) name() string { return e.conversation.Username() }

// isOwnIdentity tells whether the client wants to act as itself.
func (e *scramExchange) isOwnIdentity() bool {
	identity := e.conversation.AuthzID()
	return identity == "" || identity == e.conversation.Username()
}

// lookup finds what is kept of a user's password, or makes it up.
func (e *scramExchange) lookup(name string) (scram.StoredCredentials, error) {
	r, user, _ := e.directory.realm(e.visitor, name)
	if r != nil {
		if a, ok := r.users[user]; ok {
			if p, ok := a.Credential.proof.(scramProof); ok && p.hash == e.form {
				e.principal = e.directory.newPrincipal(r.Tenant, user)
				return p.keys, nil
			}
		}
	}
	return e.madeUp(r, name), nil
}

// madeUp gives the keys of a user who does not exist: the same salt each time, as long and with as many iterations as
// those of others, and keys that nothing fits.
func (e *scramExchange) madeUp(r *realm, name string) scram.StoredCredentials {
	mac := hmac.New(sha256.New, e.directory.key)
	mac.Write([]byte(string(e.form) + "\x00" + name))
	hash, _ := scramHash(e.form)
	factors := e.model(r)
	factors.Salt = string(mac.Sum(nil)[:min(len(factors.Salt), sha256.Size)])
	return scram.StoredCredentials{
		KeyFactors: factors, StoredKey: random(hash().Size()), ServerKey: random(hash().Size()),
	}
}

// model gives the factors of a user of a tenant, whose salt is of the length that others have too.
func (e *scramExchange) model(r *realm) scram.KeyFactors {
	decoy := e.directory.roll.Load().decoy
	if r != nil && r.decoy != nil {
		decoy = r.decoy
	}
	if decoy != nil {
		if p, ok := decoy.Credential.proof.(scramProof); ok {
			return p.keys.KeyFactors
		}
	}
	return scram.KeyFactors{Salt: string(make([]byte, newSaltSize)), Iters: newIterations}
}
