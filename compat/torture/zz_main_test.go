package torture
import ("testing";"os";"strings")
func TestZZRun(t *testing.T){
 p:=os.Getenv("ZZ"); if p=="" {t.Skip()}
 err:=Run(t.Context(), RunOptions{Programs: strings.Split(p,","), Only: os.Getenv("ZZONLY"), Short: os.Getenv("ZZFULL")=="", Out: os.Stdout, Progress: func(s string){os.Stderr.WriteString(s+"\n")}})
 t.Log(err)
}
