-- Sixteen requests in one packet.
init = function(args)
	local r = {}
	for i = 1, 16 do
		r[i] = wrk.format("GET", "/fixed")
	end
	requests = table.concat(r)
end
request = function()
	return requests
end
