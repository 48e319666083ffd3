package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Pair is the files of a certificate of the gateway's and those between it and its authority, and of its private key.
type Pair struct {
	Setting      string // such as tls
	Certificate  string
	Key          string
	Password     string // of the private key, if it is encrypted
	PasswordFile string // the name of a file with the password in its first line, if Password is empty
}

func (p *Pair) look() []stamp { return stampsOf(p.Certificate, p.Key, p.PasswordFile) }

// Load reads the files. A private key may be encrypted: as PKCS #8 has it (RFC 5958 section 3), or as the older files of
// OpenSSL are (RFC 1421 section 4.6.1.3). No error has anything of the password in it.
func (p *Pair) Load() (c tls.Certificate, err error) {
	certificate, err := os.ReadFile(p.Certificate)
	if err != nil {
		return c, err
	}
	key, err := os.ReadFile(p.Key)
	if err != nil {
		return c, err
	}
	if key, err = p.decrypted(key); err != nil {
		return c, fmt.Errorf("%s: %w", p.Key, err)
	}
	return tls.X509KeyPair(certificate, key)
}

// decrypted gives the text of a private key in the form PEM as one that is not encrypted.
func (p *Pair) decrypted(text []byte) ([]byte, error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return text, nil // which is for package tls to refuse
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if !isEncrypted(block) {
			return text, nil
		}
		password, err := p.password()
		if err != nil {
			return nil, err
		}
		return decrypt(block, password)
	}
}

// pkcs8Type is what a private key is called in PEM that is encrypted as PKCS #8 has it.
const pkcs8Type = "ENCRYPTED PRIVATE KEY"

func isEncrypted(block *pem.Block) bool {
	return block.Type == pkcs8Type || block.Headers["DEK-Info"] != ""
}

// password gives that of the private key.
func (p *Pair) password() (password string, err error) {
	switch {
	case p.Password != "":
		return p.Password, nil
	case p.PasswordFile != "":
		return ReadPassword(p.PasswordFile)
	}
	return "", errEncrypted
}

var errEncrypted = errors.New("the private key is encrypted, and there is no password for it (keyPassword, keyPasswordFile)")

// decrypt gives a private key in the form PEM.
func decrypt(block *pem.Block, password string) ([]byte, error) {
	if block.Type == pkcs8Type {
		der, err := decryptPKCS8(block.Bytes, password)
		if err != nil {
			return nil, err
		}
		if _, err := x509.ParsePKCS8PrivateKey(der); err != nil {
			return nil, errPassword
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	//lint:ignore SA1019 it does not tell that a key has been changed, but neither does one that is not encrypted
	der, err := x509.DecryptPEMBlock(block, []byte(password))
	if err != nil {
		return nil, errPassword
	}
	return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
}

// maxPasswordFile is how many bytes of a password's file are read.
const maxPasswordFile = 64 << 10

// ReadPassword gives the password in the first line of a file.
func ReadPassword(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPasswordFile))
	if err != nil {
		return "", err
	}
	password, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(password, "\r"), nil
}
