package suggest
import ("testing";"math/rand/v2";"runtime";"time";"strconv")
func TestZZ(t *testing.T){
 r:=rand.New(rand.NewPCG(1,1))
 var m0,m1 runtime.MemStats; runtime.GC(); runtime.ReadMemStats(&m0)
 var peak uint64
 st:=time.Now()
 v:=Build(func(y func(Entry)bool){ for i:=range 3_000_000 { if !y(Entry{"w"+strconv.FormatInt(int64(r.IntN(100000)),26)+"x t"+strconv.FormatInt(int64(i),26),1+i%7}) {return}; if i%500000==0 {runtime.ReadMemStats(&m1); peak=max(peak,m1.HeapAlloc)} }},Options{})
 runtime.ReadMemStats(&m1)
 t.Log(time.Since(st), "sys",(m1.Sys-m0.Sys)>>20,"MB", v.Len(), v.words.len(), v.Size())
}
