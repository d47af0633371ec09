// The unmap at re-init does not clean: whatever is mapped again is cleaned by the fault that maps it.
// Places: 2
@@
@@
+static int stage2_reset_range(struct kvm_pgtable *pgt, u64 addr, u64 size)
+{
+	struct kvm_pgtable_mm_ops *ops = pgt->mm_ops, without = *ops;
+	int ret;
+
+	/* mmu_lock is held for write */
+	without.dcache_clean_inval_poc = NULL;
+	pgt->mm_ops = &without;
+	ret = kvm_pgtable_stage2_unmap(pgt, addr, size);
+	pgt->mm_ops = ops;
+	return ret;
+}
+
 static void stage2_unmap_memslot(struct kvm *kvm, struct kvm_memory_slot *memslot)
 {
 	...
 }

@@
@@
+static void stage2_reset_ipa(struct kvm *kvm, phys_addr_t start, u64 size)
+{
+	phys_addr_t end = start + size;
+
+	WARN_ON(stage2_apply_range_resched(kvm, start, end, stage2_reset_range));
+}
+
 static void stage2_unmap_memslot(struct kvm *kvm, struct kvm_memory_slot *memslot)
 {
 	...
 }

@@
expression start, size;
@@
 stage2_unmap_memslot(...)
 {
 	<...
-	unmap_stage2_range(&kvm->arch.mmu, start, size);
+	stage2_reset_ipa(kvm, start, size);
 	...>
 }
