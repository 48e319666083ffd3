// Command oidc runs the example provider of github.com/zitadel/oidc on a free port of this machine. Its client "sid1" gets
// JSON Web Tokens for the audience "manifold" with its secret, and may have roles in them by asking for scopes of their
// names. Its first line of output is its issuer. It ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		slog.Error("cannot listen", "err", err)
		os.Exit(1)
	}
	issuer := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	store := provider{storage.NewStorage(storage.NewUserStore(issuer))}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(issuer)
	server := http.Server{Handler: exampleop.SetupServer(issuer, store, slog.New(slog.DiscardHandler), false)}
	if err := server.Serve(listener); err != nil {
		slog.Error("ended", "err", err)
		os.Exit(1)
	}
}

// provider is the example's storage, whose clients get tokens that can be read.
type provider struct{ *storage.Storage }

// ClientCredentials implements op.ClientCredentialsStorage.
func (p provider) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	c, err := p.Storage.ClientCredentials(ctx, id, secret)
	return client{c}, err
}

// ClientCredentialsTokenRequest implements op.ClientCredentialsStorage.
func (p provider) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	return &oidc.JWTTokenRequest{Subject: id, Audience: []string{"manifold"}, Scopes: scopes}, nil
}

// GetPrivateClaimsFromScopes implements op.Storage.
func (p provider) GetPrivateClaimsFromScopes(_ context.Context, _, _ string, scopes []string) (map[string]any, error) {
	return map[string]any{"realm_access": map[string]any{"roles": scopes}}, nil
}

// client is one that gets JSON Web Tokens.
type client struct{ op.Client }

// AccessTokenType implements op.Client.
func (client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
