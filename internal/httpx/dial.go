package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// dialer returns how connections are made.
func (o *ClientOptions) dialer() dialFunc {
	dial := (&net.Dialer{Timeout: dialTimeout, KeepAlive: tcpKeepAlive}).DialContext
	if !o.Lookup.IPv4Only {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if network == "tcp" && !isAddress6(addr) {
			network = "tcp4"
		}
		c, err := dial(ctx, network, addr)
		if err != nil && onlyAddress6(err) {
			err = fmt.Errorf("%w; use -enableTCP6 for addresses of IPv6", err)
		}
		return c, err
	}
}

func isAddress6(addr string) bool {
	at, err := netip.ParseAddrPort(addr)
	return err == nil && at.Addr().Is6()
}

// onlyAddress6 reports whether err says that a name has no address of IPv4.
func onlyAddress6(err error) bool {
	var unfit *net.AddrError
	return errors.As(err, &unfit)
}
