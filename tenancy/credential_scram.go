package tenancy

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// What SCRAM credentials are made with, and the bounds of those that are read. Clients refuse fewer iterations than
// minIterations (RFC 7677 section 4).
const (
	newIterations = 65_536
	minIterations = 4_096
	maxIterations = 10_000_000
	newSaltSize   = 16
	maxSaltSize   = 64
)

// scramProof is a password as SCRAM keeps it (RFC 5802 section 3).
type scramProof struct {
	hash Form
	keys scram.StoredCredentials
}

var _ proof = scramProof{}

// scramHash gives the hash function of a form of SCRAM.
func scramHash(f Form) (hash scram.HashGeneratorFcn, ok bool) {
	switch f {
	case SCRAMSHA256:
		return scram.SHA256, true
	case SCRAMSHA512:
		return scram.SHA512, true
	}
	return nil, false
}

func newSCRAMProof(f Form, password string) scramProof {
	return deriveSCRAM(f, password, scram.KeyFactors{Salt: string(random(newSaltSize)), Iters: newIterations})
}

// deriveSCRAM computes what is kept of a prepared password. Salt and iterations are within bounds.
func deriveSCRAM(f Form, password string, factors scram.KeyFactors) scramProof {
	hash, _ := scramHash(f)
	client, err := hash.NewClientUnprepped("", password, "")
	if err != nil {
		panic(err) // without preparation there is nothing that could be wrong
	}
	keys, err := client.GetStoredCredentialsWithError(factors)
	if err != nil {
		panic(err) // the factors are within bounds
	}
	return scramProof{f, keys}
}

var errSCRAM = errors.New("not of the form SCRAM-SHA-256$iterations:salt$stored-key:server-key")

func parseSCRAMProof(text string) (proof, error) {
	name, rest, _ := strings.Cut(text, "$")
	factors, keys, _ := strings.Cut(rest, "$")
	iterations, salt, _ := strings.Cut(factors, ":")
	stored, server, _ := strings.Cut(keys, ":")
	hash, ok := scramHash(Form(name))
	if !ok {
		return nil, fmt.Errorf("of SCRAM only %s and %s are known", SCRAMSHA256, SCRAMSHA512)
	}
	p := scramProof{hash: Form(name)}
	var err error
	if p.keys.Iters, err = strconv.Atoi(iterations); err != nil {
		return nil, errSCRAM
	}
	if p.keys.Iters < minIterations || p.keys.Iters > maxIterations {
		return nil, fmt.Errorf("%d iterations are not from %d to %d", p.keys.Iters, minIterations, maxIterations)
	}
	size := hash().Size()
	saltBytes, saltErr := base64.StdEncoding.DecodeString(salt)
	p.keys.Salt = string(saltBytes)
	var storedErr, serverErr error
	p.keys.StoredKey, storedErr = base64.StdEncoding.DecodeString(stored)
	p.keys.ServerKey, serverErr = base64.StdEncoding.DecodeString(server)
	if errors.Join(saltErr, storedErr, serverErr) != nil || len(saltBytes) == 0 || len(saltBytes) > maxSaltSize ||
		len(p.keys.StoredKey) != size || len(p.keys.ServerKey) != size {
		return nil, errSCRAM
	}
	return p, nil
}

func (p scramProof) form() Form { return p.hash }

func (p scramProof) text() string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", p.hash, p.keys.Iters, encode([]byte(p.keys.Salt)),
		encode(p.keys.StoredKey), encode(p.keys.ServerKey))
}

func (p scramProof) matches(password string) bool {
	shown := deriveSCRAM(p.hash, password, p.keys.KeyFactors)
	return subtle.ConstantTimeCompare(shown.keys.StoredKey, p.keys.StoredKey) == 1
}

func (p scramProof) decoy() proof {
	d := scramProof{hash: p.hash}
	d.keys.Iters, d.keys.Salt = p.keys.Iters, string(random(len(p.keys.Salt)))
	d.keys.StoredKey, d.keys.ServerKey = random(len(p.keys.StoredKey)), random(len(p.keys.ServerKey))
	return d
}

// random gives bytes that nobody can guess.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // it never returns an error
	return b
}
