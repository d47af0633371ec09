// A control: a fault does not clean what it maps.
// Places: 1
@@
expression cond;
@@
 stage2_map_walker_try_leaf(...)
 {
 	<...
-	if (cond)
-		mm_ops->dcache_clean_inval_poc(...);
 	...>
 }
