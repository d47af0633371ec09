// A control, behind eager: no step for the I-caches.
// Places: 1
@@
@@
 stage2_flush_reset(...)
 {
 	<...
-	icache_inval_all_pou();
 	...>
 }
