package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// TestSecretMakers lists what a container gets that imports the Secret s whole.
func TestSecretMakers(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"ExternalSecret, key by key": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: e}
spec:
  target: {name: s}
  data:
    - {secretKey: A, remoteRef: {key: prod/db, property: POSTGRES_ROOT_PASSWORD}}
    - {secretKey: B, remoteRef: {key: prod/OTHER}}
`, []string{
			"A [secret key:A, secret key:POSTGRES_ROOT_PASSWORD] 5:54 13:8",
			"B [secret key:B, secret key:OTHER] 5:54 14:8",
		}},
		"ExternalSecret that is called as its Secret": {`
apiVersion: external-secrets.io/v1beta1
kind: ExternalSecret
metadata: {name: s}
spec: {data: [{secretKey: A, remoteRef: {key: x}}]}
`, []string{"A [secret key:A, secret key:x] 5:54 10:16"}},
		"dataFrom": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: s}
spec:
  data: [{secretKey: A}]
  dataFrom: [{extract: {key: x}}]
`, []string{
			"A [secret key:A] 5:54 11:11",
			"opaque: ExternalSecret s takes what its store holds (dataFrom)",
		}},
		"a template takes the place of what is fetched": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: s}
spec:
  target:
    template:
      data:
        URL: "postgres://{{ .USER }}:{{ .PASSWORD | urlquery }}@{{ if .X }}a{{ else }}b{{ end }}{{ index . \"dash-ed\" }}"
        CONST: text
  data: [{secretKey: USER, remoteRef: {key: ROOT_USER}}]
  dataFrom: [{extract: {key: x}}]
`, []string{
			"CONST [secret key:CONST] 5:54 15:9 =text",
			"URL [secret key:URL, secret key:USER, secret key:ROOT_USER, secret key:PASSWORD, secret key:X, secret key:dash-ed] 5:54 14:9",
		}},
		"a template that joins": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: s}
spec:
  target: {template: {mergePolicy: Merge, data: {URL: "{{ .USER }}"}}}
  data: [{secretKey: USER}]
`, []string{
			"URL [secret key:URL, secret key:USER] 5:54 11:50",
			"USER [secret key:USER] 5:54 12:11",
		}},
		"a template defined elsewhere": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: s}
spec:
  target: {template: {templateFrom: [{configMap: {name: x}}]}}
  data: [{secretKey: USER}]
`, []string{"opaque: ExternalSecret s takes it from a template defined elsewhere (templateFrom)"}},
		"a template for labels only": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: s}
spec:
  target: {template: {metadata: {labels: {a: b}}}}
  data: [{secretKey: USER}]
`, []string{"USER [secret key:USER] 5:54 12:11"}},
		"what is no template": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: s}
spec: {target: {template: {data: {K: "{{ if"}}}}
`, []string{"K [secret key:K] 5:54 10:35"}},
		"ExternalSecret that joins a Secret": {`
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: e}
spec: {target: {name: s, creationPolicy: Merge}, data: [{secretKey: A}]}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {B: b}
`, []string{"A [secret key:A] 5:54 10:58", "B [secret key:B] 5:54 15:14 =b"}},
		"ClusterExternalSecret": {`
apiVersion: external-secrets.io/v1
kind: ClusterExternalSecret
metadata: {name: c}
spec:
  externalSecretName: s
  externalSecretSpec: {data: [{secretKey: A}]}
`, []string{"A [secret key:A] 5:54 12:32"}},
		"SealedSecret": {`
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: x}
spec:
  encryptedData: {A: hunter2}
  template: {metadata: {name: s}, data: {B: "b{{ .A }}"}}
`, []string{"A [secret key:A] 5:54 11:19", "B [secret key:B, secret key:A] 5:54 12:42"}},
		"SealedSecret as a whole": {`
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: s}
spec: {data: hunter2}
`, []string{"opaque: SealedSecret s has sealed it as a whole"}},
		"SOPS": {`
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {A: "ENC[hunter2]"}
stringData: {B: "ENC[hunter2]"}
sops: {version: 3.9.0}
`, []string{"A [secret key:A] 5:54 10:8", "B [secret key:B] 5:54 11:14"}},
		"a Secret without keys": {
			"\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
			[]string{"opaque: its manifest has no keys, so something else fills it"},
		},
		"Certificate": {`
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c}
spec: {secretName: s, keystores: {jks: {create: true}}}
`, []string{
			"ca.crt [secret key:ca.crt] 5:54 10:8", "keystore.jks [secret key:keystore.jks] 5:54 10:8",
			"tls.crt [secret key:tls.crt] 5:54 10:8", "tls.key [secret key:tls.key] 5:54 10:8",
			"truststore.jks [secret key:truststore.jks] 5:54 10:8",
		}},
		"SecretProviderClass": {`
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: c}
spec:
  parameters: {objects: "- {objectName: DB, secretKey: ROOT}"}
  secretObjects: [{secretName: s, data: [{key: A, objectName: DB}]}]
`, []string{"A [secret key:A, secret key:ROOT] 5:54 12:42"}},
		"another operator": {`
apiVersion: onepassword.com/v1
kind: OnePasswordItem
metadata: {name: s}
spec: {itemPath: hunter2}
`, []string{"opaque: no manifest defines it"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: c, image: image:tag, envFrom: [{secretRef: {name: s}}]}]
---`+c.text)
			var list []string
			for _, name := range slices.Sorted(maps.Keys(testtree.Env(&got))) {
				v := testtree.Env(&got)[name]
				line := fmt.Sprintf("%s [%s] %s", name, refs(v.Expr), trail(v.Provenance))
				if text, known := v.Value.Reveal(); known {
					line += " =" + text
				}
				list = append(list, line)
			}
			for _, o := range got.Opaque {
				list = append(list, "opaque: "+o.Reason.String())
			}
			if diff := cmp.Diff(c.want, list); diff != "" {
				t.Errorf("keys differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretStoreVolume(t *testing.T) {
	for name, c := range map[string]struct {
		parameters string
		want       []string
	}{
		"AWS": {`objects: "- objectName: db/pass\n  jmesPath: [{path: ROOT, objectAlias: root}]\n- {objectName: x, objectAlias: y}"`,
			[]string{"/m/db_pass [secret key:pass]", "/m/root [secret key:ROOT]", "/m/y [secret key:x]"}},
		"Azure": {`objects: "array:\n  - |\n    objectName: pass\n    objectType: secret\n"`,
			[]string{"/m/pass [secret key:pass]"}},
		"Google": {`secrets: "- {resourceName: projects/p/secrets/pass, path: file}"`,
			[]string{"/m/file [secret key:pass]"}},
		"not to be read": {`objects: "[hunter2"`, []string{"opaque SecretProviderClass c"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes:
    - name: v
      csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: c}}
  containers: [{name: c, volumeMounts: [{name: v, mountPath: /m}]}]
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: c}
spec: {provider: x, parameters: {`+c.parameters+"}}\n")
			var list []string
			for _, line := range others(got, manifest.ChannelFile) {
				text, _, _ := strings.Cut(line, " 8:")
				list = append(list, text)
			}
			if diff := cmp.Diff(c.want, list); diff != "" {
				t.Errorf("files differ (-want +got):\n%s", diff)
			}
		})
	}
}
